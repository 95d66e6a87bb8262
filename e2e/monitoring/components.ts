/** What the components render when they are to be watched by a Prometheus operator. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Manifest, readLokocfg, renderComponents } from '@landfall/lokocfg'

const monitored = `
component "metallb" {
  service_monitor = true
}
component "contour" {
  enable_monitoring = true
  envoy {
    metrics_scrape_interval = "15s"
  }
}
`

/** @throws when it is refused */
export async function monitoredComponents(): Promise<readonly Manifest[]> {
  const folder = mkdtempSync(join(tmpdir(), 'landfall-monitored-'))
  try {
    const file = join(folder, 'monitored.lokocfg')
    writeFileSync(file, monitored)
    const result = renderComponents(await readLokocfg({ lokocfg: file }), [], { version: '1.2.3' })
    if (!result.ok) throw new Error(result.problems.map(({ message }) => message).join('\n'))
    return result.components.flatMap((one) => one.objects)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
