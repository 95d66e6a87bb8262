import { expect, test } from 'vitest'
import { mountsBelow } from './removal.ts'

test('mounts at and below the directories, deepest first, with spaces in their names', () => {
  const line = (path: string): string => `36 35 98:0 / ${path} rw,noatime master:1 - tmpfs tmpfs rw`
  const info = ['/run/landfall/a', '/run/landfall/ab', '/run/landfall/a/x\\040y/z', '/'].map(line).join('\n')
  expect(mountsBelow(['/run/landfall/a'], info)).toEqual(['/run/landfall/a/x y/z', '/run/landfall/a'])
})
