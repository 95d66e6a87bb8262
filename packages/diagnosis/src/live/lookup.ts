/** The rim: where a name leads, as the system of this machine says. */
import { lookup } from 'node:dns/promises'
import type { Addresses } from '../trace/target.ts'

const timeoutMs = 3000

export async function lookUp(name: string): Promise<Addresses> {
  try {
    const found = await Promise.race([lookup(name, { all: true }), late()])
    if (found === undefined) return { kind: 'none', why: `the DNS gives no answer about ${name}` }
    return { kind: 'resolved', all: found.map(({ address }) => address) }
  } catch {
    return { kind: 'none', why: `${name} is not in the DNS of this machine` }
  }
}

function late(): Promise<undefined> {
  return new Promise((resolve) => {
    setTimeout(() => resolve(undefined), timeoutMs).unref()
  })
}
