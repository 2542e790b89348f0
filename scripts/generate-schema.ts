// Writes routes.schema.json, which editors use to complete and check routes.yaml. A test holds it against its source.
import { writeFileSync } from 'node:fs'
import { jsonSchema } from '../src/config/schema/json-schema.ts'

writeFileSync(new URL('../routes.schema.json', import.meta.url), `${JSON.stringify(jsonSchema(), null, 2)}\n`)
