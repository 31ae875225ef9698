// What stands for packages that a page imports and does not use.
export {};
