/**
 * For a program whose work is short and whose heap is small. V8's last compiler, TurboFan, is left out: its code and
 * its work take 5 to 15 MiB at the worst moment, the first lists; Maglev stays. The heap grows in small steps: 5 MiB less
 * with 5,000 Services, for a fifth more processor time in collections. And one early collection lets it grow by what lives
 * in it: before its first one V8 lets it grow to 40 MiB, whatever is garbage.
 */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--no-opt')
setFlagsFromString('--optimize-for-size')
setFlagsFromString('--expose-gc')
runInNewContext('gc')()
