export { openStore } from './store.js';
export { type Bench, Tuner, type Tuning } from './tuner.js';
