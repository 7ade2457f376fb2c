/** A program that only calls others. */
import { takeOrders } from "./orders.js";

takeOrders();
