import { parseIP } from '@landfall/netip'
import { describe, expect, it } from 'vitest'
import { question, sayingOf, whereAsker } from './frames.ts'

const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'))
const asker = '024c46000099'
const node = '020000000009'

function asked(text: string): string {
  const ip = parseIP(text)
  if (ip === undefined) throw new Error(`${text} is no address`)
  return Buffer.from(question(ip)).toString('hex')
}

describe('questions', () => {
  it('are ARP requests to everybody', () => {
    expect(asked('192.168.77.200')).toBe(
      `ffffffffffff${asker}08060001080006040001${asker}c0a84dc7000000000000c0a84dc8`,
    )
  })

  it('are solicitations to the group of the address, with a checksum', () => {
    // The checksum by hand: every word of pseudo-header and message summed up is ffff.
    const hex = asked('fd00:77::200')
    const frame = bytes(hex)
    let sum = 32 + 58
    for (let i = 22; i < frame.length; i += 2) sum += ((frame[i] ?? 0) << 8) | (frame[i + 1] ?? 0)
    expect((sum & 0xffff) + (sum >>> 16)).toBe(0xffff)
    expect(hex.slice(0, 12)).toBe('3333ff000200')
    expect(hex.slice(124, 156)).toBe('fd000077000000000000000000000200')
  })
})

describe('who answers over a socket', () => {
  const [askerIP, nodeIP] = ['fe80000000000000004c46fffe000099', 'fd000077000000000000000000000009']
  const solicitation = (target: string): Uint8Array =>
    bytes(
      `3333ff000099${node}86dd6000000000203aff${nodeIP}ff0200000000000000000001ff0000998700000000000000${target}0101${node}`,
    )

  it('is told where the asker is', () => {
    const hex = Buffer.from(whereAsker(solicitation(askerIP)) ?? []).toString('hex')
    expect(hex).toMatch(
      new RegExp(
        `^${node}${asker}86dd6000000000203aff${askerIP}${nodeIP}8800....60000000${askerIP}0201${asker}$`,
      ),
    )
  })

  it('but not where others are', () => {
    expect(whereAsker(solicitation(nodeIP))).toBeUndefined()
    expect(whereAsker(bytes(asked('fd00:77::200')))).toBeUndefined()
    expect(whereAsker(bytes(asked('192.168.77.200')))).toBeUndefined()
  })
})

describe('what is said', () => {
  const cases: Record<string, readonly [string, unknown]> = {
    'a question says nothing': [asked('192.168.77.200'), undefined],
    'nor does a solicitation': [asked('fd00:77::200'), undefined],
    'an ARP reply answers': [
      `${asker}${node}08060001080006040002${node}c0a84dc8${asker}c0a84dc7`,
      { ip: '192.168.77.200', mac: '02:00:00:00:00:09', kind: 'answer' },
    ],
    'a gratuitous request announces': [
      `ffffffffffff${node}08060001080006040001${node}c0a84dc8000000000000c0a84dc8`,
      { ip: '192.168.77.200', mac: '02:00:00:00:00:09', kind: 'announcement' },
    ],
    'a gratuitous reply announces': [
      `ffffffffffff${node}08060001080006040002${node}c0a84dc8ffffffffffffc0a84dc8`,
      { ip: '192.168.77.200', mac: '02:00:00:00:00:09', kind: 'announcement' },
    ],
    'a solicited advertisement answers': [
      advertisement('60000000'),
      { ip: 'fd00:77::200', mac: '02:00:00:00:00:09', kind: 'answer' },
    ],
    'an unsolicited one announces': [
      advertisement('20000000'),
      { ip: 'fd00:77::200', mac: '02:00:00:00:00:09', kind: 'announcement' },
    ],
    'a frame of something else says nothing': [`${asker}${node}0800${'00'.repeat(46)}`, undefined],
    'a cut one neither': [`${asker}${node}0806000108000604`, undefined],
  }
  it.each(Object.entries(cases))('%s', (_, [hex, expected]) => {
    expect(sayingOf(bytes(hex))).toEqual(expected)
  })
})

function advertisement(flags: string): string {
  const ip = 'fd000077000000000000000000000200'
  const header = `600000000020 3aff ${ip} fe80000000000000004c46fffe000099`
  return `${asker}${node}86dd${header}88000000${flags}${ip}0201${node}`
}
