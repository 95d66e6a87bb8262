/** Ethernet II frames and the keys by which the responder finds an address. */

export const ethertypeArp = 0x0806
export const ethertypeIPv6 = 0x86dd
export const headerLength = 14
export const broadcastMac = new Uint8Array([0xff, 0xff, 0xff, 0xff, 0xff, 0xff])

/** Four or sixteen address bytes as a string, which a Map can hold: cheaper than parsing on the packet path. */
export type AddressKey = string

export function keyOfBytes(bytes: Uint8Array): AddressKey {
  let key = ''
  // Four at a time: several times as fast as spreading, and this is the packet path.
  for (let i = 0; i < bytes.length; i += 4)
    key += String.fromCharCode(bytes[i] ?? 0, bytes[i + 1] ?? 0, bytes[i + 2] ?? 0, bytes[i + 3] ?? 0)
  return key
}

export function bytesOfKey(key: AddressKey): Uint8Array {
  const bytes = new Uint8Array(key.length)
  for (let i = 0; i < bytes.length; i++) bytes[i] = key.charCodeAt(i)
  return bytes
}

export function ethertypeOf(frame: Uint8Array): number {
  return ((frame[12] ?? 0) << 8) | (frame[13] ?? 0)
}

/** A zeroed frame with the header written. */
export function newFrame(to: Uint8Array, from: Uint8Array, ethertype: number, payload: number): Uint8Array {
  const frame = new Uint8Array(headerLength + payload)
  frame.set(to, 0)
  frame.set(from, 6)
  frame[12] = ethertype >> 8
  frame[13] = ethertype & 0xff
  return frame
}
