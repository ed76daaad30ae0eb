import { start } from "./shop/start.js";

start();
