import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { cleanFileSpans, dropProgramPages } from './program-pages.ts'

function mapping(head: string, anonymous: number): string {
  return `${head}\nSize: 64 kB\nRss: 64 kB\nAnonymous: ${anonymous} kB\nVmFlags: rd mr mw me\n`
}

it('takes files alone, which are not written to and of which no page is the own', () => {
  const smaps = [
    mapping('00400000-00410000 r--p 00000000 fe:00 12  /usr/bin/node', 0),
    mapping('00410000-00420000 r-xp 00010000 fe:00 12  /usr/bin/node', 0),
    mapping('00420000-00430000 r--p 00020000 fe:00 12  /usr/bin/node', 8),
    mapping('00430000-00440000 rw-p 00030000 fe:00 12  /usr/bin/node', 0),
    mapping('00440000-00450000 r--s 00030000 fe:00 12  /run/shared', 0),
    mapping('7f0000000000-7f0000010000 r--p 00000000 00:00 0 ', 0),
    mapping('7ffd00000000-7ffd00004000 r-xp 00000000 00:00 0  [vdso]', 0),
    mapping('7f0000020000-7f0000040000 r-xp 00000000 fe:00 13  /usr/lib/a b.so (deleted)', 0),
  ].join('')
  expect(cleanFileSpans(smaps)).toEqual([
    { address: 0x400000n, length: 0x10000n },
    { address: 0x410000n, length: 0x10000n },
    { address: 0x7f0000020000n, length: 0x20000n },
  ])
})

it('makes the process smaller, which works on', () => {
  const fileKiB = () => Number(/^RssFile:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1])
  const before = fileKiB()
  dropProgramPages()
  expect(fileKiB()).toBeLessThan(before - 4096)
  expect(JSON.parse('{"a": [1]}')).toEqual({ a: [1] })
})
