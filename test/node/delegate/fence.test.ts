import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ContextLostError } from '../../../delegate/index.js';
import type { Device } from '../../../delegate/webgl/device.js';
import { Fences, Pace } from '../../../delegate/webgl/fence.js';

/** A device whose GPU has always done everything; `fences` counts those that were set. */
function idleDevice(isSoftware: boolean) {
  const told = { fences: 0 };
  const gl = {
    ALREADY_SIGNALED: 1,
    fenceSync: () => ({ number: ++told.fences }),
    clientWaitSync: () => 1,
    deleteSync() {},
    flush() {},
    isContextLost: () => false,
  };
  return { told, device: { gl, capabilities: { isSoftware } } as unknown as Device };
}

function paceOf(milliseconds: number): Pace {
  const pace = new Pace();
  pace.took(milliseconds, 1);
  pace.took(milliseconds, 1);
  return pace;
}

describe('the pace of work', () => {
  it('is asked about sooner while the first question is answered, and later where it is not, within bounds', () => {
    const pace = new Pace();
    assert.equal(pace.first, 1.2);
    for (let i = 0; i < 5; i++) pace.took(1, 1);
    const sooner = pace.first;
    assert.ok(sooner < 0.8 && sooner >= 0.3);
    pace.took(1.5, 2);
    assert.ok(pace.first > sooner);
    for (let i = 0; i < 50; i++) pace.took(1, 1);
    assert.equal(pace.first, 0.3);
    for (let i = 0; i < 50; i++) pace.took(2, 3);
    assert.equal(pace.first, 1.2);
  });

  it('leaves longer work alone for half of its usual time, which one slow run does not change', () => {
    assert.equal(paceOf(60).first, 30);
    const pace = paceOf(1);
    pace.took(500, 9);
    assert.ok(pace.first <= 1.2);
  });
});

describe('fences', () => {
  it('are set at once on a real GPU, and where it is not known how long the work takes', async () => {
    const real = idleDevice(false);
    const passed = new Fences(real.device).set('run', paceOf(60));
    assert.equal(real.told.fences, 1);
    await passed;
    const software = idleDevice(true);
    const also = new Fences(software.device).set('run');
    await new Promise((resolve) => setTimeout(resolve, 5));
    assert.equal(software.told.fences, 1);
    await also;
  });

  it('are set late on a software GL, when the work is nearly done', async () => {
    const { told, device } = idleDevice(true);
    const started = performance.now();
    const passed = new Fences(device).set('run', paceOf(400));
    await new Promise((resolve) => setTimeout(resolve, 5));
    assert.equal(told.fences, 0);
    await passed;
    assert.equal(told.fences, 1);
    assert.ok(performance.now() - started >= 290);
  });

  it('are set before more work, each once', async () => {
    const { told, device } = idleDevice(true);
    const fences = new Fences(device);
    const passed = [fences.set('first', paceOf(60)), fences.set('second', paceOf(60))];
    fences.expectMore();
    fences.expectMore();
    assert.equal(told.fences, 2);
    await Promise.all(passed);
    assert.equal(told.fences, 2);
  });

  it('fail where the context is lost, though it is restored before anybody asks', async () => {
    const { device } = idleDevice(true);
    const fences = new Fences(device);
    const passed = fences.set('run', paceOf(60));
    fences.lose();
    await assert.rejects(passed, (error: Error) => error instanceof ContextLostError && /run/.test(error.message));
  });
});
