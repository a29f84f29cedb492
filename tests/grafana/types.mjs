// The types of one major: every dashboard is written as TypeScript and compiled against them.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ts = createRequire(import.meta.url)("typescript");
const here = fileURLToPath(new URL(".", import.meta.url));

const OPTIONS = {
  strict: true,
  exactOptionalPropertyTypes: true,
  noEmit: true,
  // Their declarations are not ours to judge.
  skipLibCheck: true,
  types: [],
  lib: ["lib.es2022.d.ts", "lib.dom.d.ts"],
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.ESNext,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
  baseUrl: here,
};

const PANELS = {
  bargauge: "BarGauge", stat: "Stat", statetimeline: "StateTimeline",
  statushistory: "StatusHistory", table: "Table", timeseries: "TimeSeries",
};

/** Where the names that types.ts imports are, in one major. */
function paths(major) {
  const root = join(here, "node_modules", `schema-${major}`);
  const { types } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const raw = (of, kind, name) =>
    `node_modules/schema-${of}/dist/esm/raw/composable/${kind}/x/${name}_types.gen.d.ts`;
  const found = {
    "@grafana/schema": [`node_modules/schema-${major}/${types}`],
    "query/prometheus": [raw(10, "prometheus/dataquery", "PrometheusDataQuery")],
  };
  for (const [panel, name] of Object.entries(PANELS)) {
    found[`panel/${panel}`] = [raw(major, `${panel}/panelcfg`, `${name}PanelCfg`)];
  }
  return found;
}

/** A dashboard as a program: one statement a panel, and one for what is around them. */
function program(json) {
  const text = (value) => JSON.stringify(value, null, 1);
  const panels = json.panels.map((panel) =>
    `(${text(panel)}) satisfies Panels[${JSON.stringify(panel.type)}];\n`);
  const rest = `(${text({ ...json, panels: [] })}) satisfies Dashboard;\n`;
  return `import type { Dashboard, Panels } from "./types";\n${panels.join("")}${rest}`;
}

/** `panels[2].options.graphMode`: what of the JSON stands at a place of the program. */
function path(source, at) {
  const steps = [];
  const find = (node) => {
    if (at < node.getFullStart() || at >= node.getEnd()) return;
    if (ts.isPropertyAssignment(node)) steps.push(node.name.text);
    else if (ts.isArrayLiteralExpression(node.parent ?? node)) {
      const number = node.parent.elements.indexOf(node);
      if (number >= 0) steps.push(number);
    }
    ts.forEachChild(node, find);
  };
  const statement = source.statements.findIndex((it) => at >= it.getFullStart() && at < it.getEnd());
  find(source.statements[statement]);
  return { panel: statement - 1, steps: steps.join(".") };
}

/** The deepest reason, which names what is wrong; the first ones repeat whole types. */
function reason(message) {
  let text = ts.flattenDiagnosticMessageText(message, "\n").trimEnd().split("\n").pop().trim();
  return text.length > 300 ? `${text.slice(0, 300)}…` : text;
}

export function compile(major, dashboards, tell) {
  const options = { ...OPTIONS, paths: paths(major) };
  const host = ts.createCompilerHost(options, true);
  const made = new Map(dashboards.map(({ name, json }, at) =>
    [join(here, `dashboard-${at}.ts`), { name, json, text: program(json) }]));
  const { fileExists, readFile } = host;
  host.fileExists = (file) => made.has(file) || fileExists(file);
  host.readFile = (file) => made.get(file)?.text ?? readFile(file);
  const { getSourceFile } = host;
  host.getSourceFile = (file, ...more) => made.has(file)
    ? ts.createSourceFile(file, made.get(file).text, OPTIONS.target, true)
    : getSourceFile(file, ...more);
  const whole = ts.createProgram([...made.keys()], options, host);
  for (const found of ts.getPreEmitDiagnostics(whole)) {
    const dashboard = found.file && made.get(found.file.fileName);
    if (!dashboard) {
      tell(found.file?.fileName.slice(here.length) ?? "types", reason(found.messageText));
      continue;
    }
    const { panel, steps } = path(found.file, found.start);
    const title = dashboard.json.panels[panel]?.title;
    tell(`${dashboard.name}${title ? ` «${title}»` : ""} ${steps}`, reason(found.messageText));
  }
}
