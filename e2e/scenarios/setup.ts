/**
 * One lab for all scenarios, with Landfall installed on it; taken away at the end, whatever happened. With
 * LANDFALL_LAB=ID the scenarios run on a lab that is up already, with Landfall or without, and
 * leave it there.
 */
import type { TestProject } from 'vitest/node'
import { install } from '../demo/installation.ts'
import { createLab, openLab, terminalProgress } from '../lab/index.ts'

declare module 'vitest' {
  interface ProvidedContext {
    readonly labId: string
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const running = process.env['LANDFALL_LAB']
  const progress = terminalProgress()
  if (running !== undefined) {
    const lab = openLab(running)
    const installed = await lab.get('deployment', 'controller', 'metallb-system')
    if (installed === undefined) await install(lab, progress)
    project.provide('labId', running)
    return async () => {}
  }
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
