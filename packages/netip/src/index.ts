export * from './ip.ts'
export * from './prefix.ts'
export * from './range.ts'
