/**
 * What the start of a program has touched of Node's binary, 15 to 40 MiB, is not held. It is loaded while the program
 * waits for its first answers.
 */
const pages = await import('@landfall/net/program-pages').catch(() => undefined)
// Where the native library does not load, the program is larger, and no worse.
pages?.keepProgramPagesFew()
