/** Ends the output of a test run with one line that a machine can read: `N passed, N failed, N skipped`. */
export default class CountsReporter {
  onRunComplete(_contexts, results) {
    // A suite that could not even be loaded has no failed tests, and is a failure nevertheless.
    const failed =
      results.numFailedTests +
      results.testResults.filter((one) => one.testExecError || (one.failureMessage && one.numFailingTests === 0))
        .length;
    const skipped = results.numPendingTests + results.numTodoTests;
    const line = `${results.numPassedTests} passed, ${failed} failed, ${skipped} skipped\n`;
    // Jest's own summary comes after every other reporter.
    process.once('exit', () => process.stdout.write(line));
  }
}
