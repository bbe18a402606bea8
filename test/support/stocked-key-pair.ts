import * as product from '../../src/conpaas/key-pair.js';
import { keyStock } from './key-stock.js';

/** Stands for the product's `newKeys` in all that runs inside of tests. */
export const newKeys = keyStock(product.newKeys, 0);
export const { RSA } = product;
