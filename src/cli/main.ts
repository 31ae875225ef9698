#!/usr/bin/env node
// The command `tflite-gpu`. Exit codes: 0 done, 1 failed, 2 the command line is wrong.
import { commandOf, UsageError } from './arguments.js';

async function main(): Promise<void> {
  try {
    const command = commandOf(process.argv.slice(2));
    const { run } = await import('./run.js');
    console.log(await run(command));
  } catch (error) {
    const isUsage = error instanceof UsageError;
    console.error(`tflite-gpu: ${(error as Error).message}${isUsage ? '. See tflite-gpu --help' : ''}`);
    process.exitCode = isUsage ? 2 : 1;
  }
}

void main();
