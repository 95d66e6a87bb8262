/** Says in a line each, before the details, which tests failed, and which passed at a later try only. */
import type { Reporter, TestCase, TestModule } from 'vitest/node'

const mostCharacters = 160

export default class BriefReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()])
    const failed = tests.filter((test) => test.result().state === 'failed')
    const late = tests.filter((test) => test.diagnostic()?.flaky)
    const silent = modules.filter(
      (module) => module.state() === 'failed' && !failed.some((test) => test.module === module),
    )
    say('Failed', [
      ...failed.map(lineOf),
      ...silent.map((module) => `${module.relativeModuleId}: a hook, or it does not load`),
    ])
    say('Passed at a later try', late.map(lineOf))
  }
}

function say(title: string, lines: readonly string[]): void {
  if (lines.length > 0) process.stdout.write(`\n${title}:\n${lines.map((line) => `  ${line}\n`).join('')}`)
}

function lineOf(test: TestCase): string {
  const [error] = test.result().errors ?? []
  const words = (error?.message ?? '').replaceAll(/\s+/g, ' ').slice(0, mostCharacters)
  return `${test.module.relativeModuleId}: ${test.fullName}: ${words}`
}
