// Runs the bundled browser specs (see scripts/test-layers.mjs). KARMA_BROWSER is swiftshader, llvmpipe or firefox;
// KARMA_DEVICE=unknown hides from the specs which of them it is.
import { writeFileSync } from 'node:fs';
import { browserFlags } from './scripts/browser.mjs';

const browser = process.env.KARMA_BROWSER ?? 'swiftshader';
const bundle = process.env.KARMA_BUNDLE;

/** Writes the totals where the test runner finds them. */
function TotalsReporter() {
  this.onRunComplete = (_browsers, { success, failed, error, disconnected }) => {
    const totals = {
      passed: success,
      failed: failed + (error && !failed ? 1 : 0) + (disconnected ? 1 : 0),
      skipped: this.skipped,
    };
    if (process.env.KARMA_TOTALS) writeFileSync(process.env.KARMA_TOTALS, JSON.stringify(totals));
  };
  this.skipped = 0;
  this.onSpecComplete = (_browser, { skipped }) => {
    if (skipped) this.skipped++;
  };
}

export default (config) => {
  config.set({
    basePath: '',
    frameworks: ['jasmine'],
    plugins: [
      'karma-jasmine',
      'karma-chrome-launcher',
      'karma-firefox-launcher',
      { 'reporter:totals': ['type', TotalsReporter] },
    ],
    files: [
      ...(process.env.KARMA_DEVICE === 'unknown' ? ['test/support/unknown-device.js'] : []),
      bundle,
      { pattern: 'test/fixtures/**/*', included: false, watched: false },
      { pattern: 'examples/mnist/*.tflite', included: false, watched: false },
      { pattern: 'node_modules/@mediapipe/**/*.tflite', included: false, watched: false },
    ],
    reporters: ['dots', 'totals'],
    browsers: [browser === 'firefox' ? 'FirefoxSoftware' : 'ChromeSoftware'],
    customLaunchers: {
      ChromeSoftware: { base: 'Chrome', flags: browser === 'firefox' ? [] : ['--headless', ...browserFlags(browser)] },
      FirefoxSoftware: {
        base: 'Firefox',
        prefs: { 'webgl.force-enabled': true, 'webgl.disable-fail-if-major-performance-caveat': true },
      },
    },
    client: { jasmine: { random: false, timeoutInterval: 60_000 } },
    captureTimeout: 120_000,
    browserNoActivityTimeout: 300_000,
    // A spec may keep the page busy while a software GL compiles; that is no lost connection.
    pingTimeout: 600_000,
    browserDisconnectTimeout: 60_000,
    autoWatch: false,
    singleRun: true,
    logLevel: config.LOG_WARN,
  });
};
