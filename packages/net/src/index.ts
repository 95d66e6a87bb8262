export { SystemError } from './libc.ts'
export * from './tcp.ts'
