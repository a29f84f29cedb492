// Holds the dashboards against Grafana's own libraries of each major:
//
//     node tests/grafana/check.mjs [FOLDER]
//
// FOLDER (by default grafana/dashboards) has a folder a language. Prints one line a mistake and
// exits with 1 if there is any, else says what was looked at. Needs `npm ci` in this folder.
// types.mjs looks with the compiler at what the JSON is, engine.mjs runs it.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { run } from "./engine.mjs";
import { compile } from "./types.mjs";

const MAJORS = [10, 11, 12, 13];

const here = fileURLToPath(new URL(".", import.meta.url));
const folder = process.argv[2] ?? join(here, "../../grafana/dashboards");

const dashboards = readdirSync(folder).sort().flatMap((language) =>
  readdirSync(join(folder, language)).sort().map((file) => ({
    name: `${language}/${file}`,
    json: JSON.parse(readFileSync(join(folder, language, file), "utf8")),
  })));

const mistakes = [];
const seen = { panels: 0, overrides: 0, units: new Set(), transformations: 0, texts: 0 };
for (const major of MAJORS) {
  const tell = (place, what) => mistakes.push(`Grafana ${major}: ${place}: ${what}`);
  compile(major, dashboards, tell);
  await run(major, dashboards, tell, seen);
}
for (const line of mistakes) process.stdout.write(`${line}\n`);
process.stdout.write(
  `${MAJORS.length} majors, ${dashboards.length} dashboards, ${seen.panels} panels, ` +
  `${seen.overrides} overrides, ${seen.units.size} units, ${seen.transformations} transformations, ` +
  `${seen.texts} values: ${mistakes.length} mistakes\n`);
process.exit(mistakes.length ? 1 : 0);
