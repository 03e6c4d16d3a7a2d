// Prints `N passed, N failed, N skipped` from vitest's JSON report, the second argument being how many
// checks failed that are no tests. Exits with 1 if something failed.
import { readFileSync } from 'node:fs';

const report = readReport(process.argv[2]);
const failed = report.failed + Number(process.argv[3] ?? 0);
console.log(`${report.passed} passed, ${failed} failed, ${report.skipped} skipped`);
process.exitCode = failed > 0 || report.passed === 0 ? 1 : 0;

function readReport(path) {
  try {
    const report = JSON.parse(readFileSync(path, 'utf8'));
    // A file that cannot be loaded fails without a failed test in it.
    const unloaded = report.testResults.filter(
      ({ status, assertionResults }) =>
        status === 'failed' && !assertionResults.some((one) => one.status === 'failed'),
    );
    return {
      passed: report.numPassedTests,
      failed: report.numFailedTests + unloaded.length,
      skipped: report.numPendingTests + report.numTodoTests,
    };
  } catch {
    return { passed: 0, failed: 1, skipped: 0 };
  }
}
