/** One lab for all scenarios, with Landfall installed on it; taken away at the end, whatever happened. */
import type { TestProject } from 'vitest/node'
import { install } from '../demo/installation.ts'
import { createLab, terminalProgress } from '../lab/index.ts'

declare module 'vitest' {
  interface ProvidedContext {
    readonly labId: string
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const progress = terminalProgress()
  const lab = await createLab({ nodes: 3, progress })
  try {
    await install(lab, progress)
  } catch (error) {
    await lab.down()
    throw error
  }
  project.provide('labId', lab.id)
  return async () => {
    await lab.down()
  }
}
