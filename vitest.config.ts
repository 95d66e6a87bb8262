import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** The same order each time: a scenario may lean on what the one before left behind, never on luck. */
class ByName extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return files.toSorted((a, b) => (a.moduleId < b.moduleId ? -1 : 1))
  }
}

/** The machine is shared. What passed at a later try only is told by name when all is done, and wants a look. */
const retry = 1

/**
 * `unit`: beside the code. `lab`: scenarios on a cluster of real parts, one after the other, all on one lab that
 * the first brings up.
 */
export default defineConfig({
  test: {
    sequence: { sequencer: ByName },
    // What is waited for comes when the machine has time for it.
    expect: { poll: { timeout: 30_000 } },
    reporters: ['./scripts/brief-reporter.ts', 'default', './scripts/closing-line-reporter.ts'],
    projects: [
      {
        test: {
          name: 'unit',
          sequence: { groupOrder: 0 },
          isolate: false,
          setupFiles: ['./scripts/property-seed.ts'],
          // Of what hangs, not of what is slow: two cores may have much to do.
          testTimeout: 60_000,
          hookTimeout: 30_000,
          retry,
          include: [
            'packages/*/src/**/*.test.ts',
            'scripts/**/*.test.ts',
            'e2e/{bench,drill,lab,load,segment,seeds}/**/*.test.ts',
          ],
        },
      },
      {
        test: {
          name: 'lab',
          sequence: { groupOrder: 1 },
          isolate: false,
          fileParallelism: false,
          include: ['e2e/scenarios/*.test.ts'],
          globalSetup: ['e2e/scenarios/setup.ts'],
          testTimeout: 120_000,
          hookTimeout: 180_000,
          retry,
        },
      },
    ],
  },
})
