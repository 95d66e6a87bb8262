/** IP addresses, prefixes and ranges as values (pure): strict text in, RFC 5952 out. */
export * from './ip.ts'
export * from './prefix.ts'
export * from './range.ts'
export * from './range-index.ts'
