// Checks an AsyncAPI document: node check.mjs FILE. Exit 1 when it has an error; warnings are printed only.
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Parser } from '@asyncapi/parser';

const file = resolve(process.argv[2]);
const { document, diagnostics } = await new Parser().parse(readFileSync(file, 'utf8'), { source: file });
const errors = diagnostics.filter((d) => d.severity === 0);
for (const d of diagnostics) {
  console.log(`${d.severity === 0 ? 'error' : 'warning'} at ${d.path.join('/') || '/'}: ${d.message}`);
}
if (errors.length > 0 || !document) process.exit(1);
console.log(`${process.argv[2]}: AsyncAPI ${document.version()}, ${document.channels().all().length} channels`);
