/** Hands in its work whenever it is told to. */
import { takeOrders } from "./orders.js";

takeOrders();
