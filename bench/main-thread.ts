/** How long the page's main thread was held at most, in milliseconds. */
export interface Holds {
  /** By the browser's own account, which lists tasks of 50 ms and more only; 0 when there was none. */
  readonly longestTask: number;
  /** Between two turns of a timer that is due every 4 ms: the same from outside, with what the browser itself does. */
  readonly longestGap: number;
}

/** Watches the main thread while `work` is done. */
export async function watchMainThread(work: () => Promise<unknown>): Promise<Holds> {
  let [longestTask, longestGap, last] = [0, 0, performance.now()];
  const note = (entries: PerformanceEntryList) => {
    for (const { duration } of entries) longestTask = Math.max(longestTask, duration);
  };
  const turn = () => {
    const now = performance.now();
    longestGap = Math.max(longestGap, now - last);
    last = now;
  };
  const observer = new PerformanceObserver((list) => note(list.getEntries()));
  observer.observe({ type: 'longtask' });
  const timer = setInterval(turn, 4);
  try {
    await work();
    // A task is listed once it has ended: this one would not be yet.
    await new Promise((resolve) => setTimeout(resolve, 50));
    note(observer.takeRecords());
    return { longestTask, longestGap };
  } finally {
    clearInterval(timer);
    observer.disconnect();
  }
}
