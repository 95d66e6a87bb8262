/**
 * For a program whose work is short: V8's last compiler, TurboFan, is left out. Its code and its work take 5 to 15 MiB
 * at the worst moment, the first lists; what it would speed up runs a moment at a time (Maglev stays).
 */
import { setFlagsFromString } from 'node:v8'

setFlagsFromString('--no-opt')
