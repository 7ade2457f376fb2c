/** A program that nobody gave a sidecar: it knocks where it is told to. */
import { takeOrders } from "./orders.js";

takeOrders();
