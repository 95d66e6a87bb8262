/** Ends a test run with `N passed, N failed, N skipped` alone on a line, whatever went wrong. */
import type { SerializedError } from 'vitest'
import type { Reporter, TestModule, TestRunEndReason } from 'vitest/node'

export default class ClosingLineReporter implements Reporter {
  onTestRunEnd(
    modules: readonly TestModule[],
    errors: readonly SerializedError[],
    reason: TestRunEndReason,
  ): void {
    const count = { passed: 0, failed: 0, skipped: 0 }
    for (const module of modules) {
      let own = 0
      for (const test of module.children.allTests()) {
        const state = test.result().state
        if (state === 'passed') count.passed++
        else if (state === 'failed') own++
        else count.skipped++
      }
      // A file that does not load, or a hook that throws, has no failed test of its own.
      count.failed += own === 0 && module.state() === 'failed' ? 1 : own
    }
    count.failed += errors.length
    if (reason !== 'passed' && count.failed === 0) count.failed = 1
    process.stdout.write(`\n${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped\n`)
  }
}
