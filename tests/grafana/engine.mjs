// The engine of one major: @grafana/data runs what the types leave open. Units, reducers, colours
// and matchers must be known to it; transformations must turn what Prometheus' datasource gives into
// the columns that are meant; overrides must reach their column; values must read as is meant.

import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { isDeepStrictEqual } from "node:util";

const here = fileURLToPath(new URL(".", import.meta.url));
const load = createRequire(import.meta.url);
const esbuild = load("esbuild");
load("./browser.cjs");

const HEX = /^#[0-9A-F]{6}$/i;
const SAMPLES = [0, 0.99912, 1, 12.5, 86_400, 1.8e9];
const SYSTEMS = ["dvc", "vneid"];
const NOW = 1_764_000_000_000;

/** In one piece: node 18 can't load the newer modules that its older ones ask for. */
function library(major) {
  const { outputFiles } = esbuild.buildSync({
    stdin: { contents: `module.exports = require("data-${major}")`, resolveDir: here },
    bundle: true, write: false, platform: "node", format: "cjs", logLevel: "error",
  });
  const module = { exports: {} };
  new Function("module", "exports", "require", outputFiles[0].text)(module, module.exports, load);
  return module.exports;
}

/** The standard properties of fields: Grafana registers them when it starts, a library does not. */
function register(data, major) {
  const path = { color: "color", decimals: "decimals", displayName: "displayName", links: "links",
    mappings: "mappings", max: "max", min: "min", noValue: "noValue", thresholds: "thresholds",
    unit: "unit" };
  const item = (id, isCustom) => ({ id, path: path[id] ?? id, name: id, isCustom,
    process: id === "displayName" ? data.displayNameOverrideProcessor : (value) => value,
    shouldApply: () => true });
  // Two names of one transformation have one id.
  const transformers = new Map(Object.values(data.standardTransformers).map((it) => [it.id, it]));
  // Since 13 they are loaded when they are needed.
  data.standardTransformersRegistry.setInit(() => [...transformers].map(([id, it]) =>
    ({ id, name: id, transformation: major < 13 ? it : () => it })));
  data.standardFieldConfigEditorRegistry.setInit(() => Object.keys(path).map((id) => item(id)));
  return (custom) => {
    return new data.Registry(() => [
      ...Object.keys(path).map((id) => item(id)),
      ...custom.map((id) => ({ ...item(id, true), path: id.slice("custom.".length) })),
    ]);
  };
}

const known = (data) => {
  const flat = (it) => (it.submenu ? it.submenu.flatMap(flat) : [it.value]);
  return {
    unit: new Set(data.getValueFormats().flatMap(flat)),
    reducer: new Set(data.fieldReducers.list().map((it) => it.id)),
    colour: new Set(data.fieldColorModeRegistry.list().map((it) => it.id)),
    matcher: new Set(data.fieldMatchers.list().map((it) => it.id)),
    transformation: new Set(Object.values(data.standardTransformers).map((it) => it.id)),
  };
};

export async function run(major, dashboards, tell, seen) {
  const data = library(major);
  const engine = { data, registry: register(data, major), known: known(data), theme: data.createTheme() };
  // What their code can't take it throws at.
  const guarded = async (place, looking) => {
    const say = (what) => tell(place, what);
    await Promise.resolve(say).then(looking).catch((why) => say(`throws ${why}`));
  };
  for (const { name, json } of dashboards) {
    await guarded(name, (say) => around(engine, json, say));
    for (const panel of json.panels.filter((it) => it.type !== "row")) {
      seen.panels += 1;
      await guarded(`${name} «${panel.title}»`, (say) => look(engine, panel, say, seen));
    }
  }
}

/** Time, refresh, variables and annotations. */
function around({ data }, json, tell) {
  for (const at of [json.time.from, json.time.to]) {
    if (!data.dateMath.isValid(at)) tell(`no time: ${at}`);
  }
  if (!(data.rangeUtil.intervalToMs(json.refresh) > 0)) tell(`no interval: ${json.refresh}`);
  for (const { iconColor } of json.annotations.list) {
    if (!HEX.test(iconColor)) tell(`no colour: ${iconColor}`);
  }
  for (const { name, regex } of json.templating.list.filter((it) => it.regex)) {
    const groups = /\(\?<text>.*\(\?<value>|\(\?<value>.*\(\?<text>/;
    if (!groups.test(data.stringToJsRegex(regex).source)) tell(`${name}: no text and value`);
  }
}

async function look(engine, panel, tell, seen) {
  const { known } = engine;
  const { defaults, overrides } = panel.fieldConfig;
  const must = (kind, id) => known[kind].has(id) || tell(`no ${kind}: ${id}`);
  const every = [defaults, ...overrides.map((it) =>
    Object.fromEntries(it.properties.map(({ id, value }) => [id, value])))];
  for (const field of every) {
    if (field.unit !== undefined) {
      if (!field.unit.startsWith("suffix:")) must("unit", field.unit);
      seen.units.add(field.unit);
    }
    if (field.color) must("colour", field.color.mode);
    const colours = [field.color?.fixedColor, ...(field.thresholds?.steps ?? []).map((it) => it.color),
      ...(field.mappings ?? []).flatMap((it) => Object.values(it.options)).map((it) => it.color)];
    for (const colour of colours.filter((it) => it !== undefined)) {
      if (!HEX.test(colour)) tell(`no colour: ${colour}`);
    }
  }
  const { legend, reduceOptions } = panel.options;
  for (const id of [...(legend?.calcs ?? []), ...(reduceOptions?.calcs ?? [])]) must("reducer", id);
  for (const { matcher } of overrides) must("matcher", matcher.id);
  for (const { id } of panel.transformations) must("transformation", id);
  seen.overrides += overrides.length;
  values(engine, "number", defaults, tell, seen);
  if (panel.type === "timeseries") lines(engine, panel, tell);
  if (panel.type === "table") await columns(engine, panel, tell, seen);
}

/** What single values look like: words and colours of the mappings, never green for none. */
function values({ data, theme }, type, config, tell, seen) {
  const field = { name: "Value", type, values: [], config };
  const show = data.getDisplayProcessor({ field, theme });
  const read = (value) => {
    seen.texts += 1;
    const { prefix = "", text, suffix = "", color } = show(value);
    return { text: `${prefix}${text}${suffix}`, color };
  };
  for (const { options } of config.mappings ?? []) {
    for (const [value, meant] of Object.entries(options)) {
      const { text, color } = read(type === "number" ? Number(value) : value);
      if (text !== meant.text) tell(`${value} reads ${text}, not ${meant.text}`);
      if (meant.color && color !== meant.color) tell(`${value} is ${color}, not ${meant.color}`);
    }
  }
  for (const value of SAMPLES) {
    const { text } = read(value);
    if (!text || /NaN|undefined|null|Invalid/.test(text)) tell(`${value} reads «${text}»`);
  }
  const none = read(null);
  if (none.text !== config.noValue) tell(`nothing reads «${none.text}»`);
  const base = config.thresholds.steps[0].color;
  if (config.color.mode === "thresholds" && none.color !== base) {
    tell(`nothing is ${none.color}, not ${base}`);
  }
}

/** Frames with all that a panel says of their fields. */
function overridden({ data, registry, theme }, { fieldConfig }, frames) {
  const ids = fieldConfig.overrides.flatMap((it) => it.properties.map(({ id }) => id));
  const custom = new Set([...Object.keys(fieldConfig.defaults.custom ?? {}).map((id) => `custom.${id}`),
    ...ids.filter((id) => id.startsWith("custom."))]);
  return data.applyFieldOverrides({ data: frames, theme, timeZone: "utc",
    fieldConfig: structuredClone(fieldConfig), replaceVariables: (it) => it,
    fieldConfigRegistry: registry([...custom]) });
}

/** Series of one panel, as Prometheus' datasource calls them, have colours of their own: those that
 * an override speaks of the one it says, in its words. */
function lines(engine, panel, tell) {
  const { data, theme } = engine;
  const coloured = panel.fieldConfig.overrides.filter(({ properties }) =>
    properties.some(({ id }) => id === "color"));
  const called = ({ matcher: { id, options } }) => ({
    byName: { refId: "A", name: options },
    byRegexp: { refId: "A", name: `${options.replace(/^\/\^|\/$|\\/g, "")}m1` },
    byFrameRefID: { refId: options, name: `of ${options}` },
  })[id];
  // A query with a colour of its own leaves none to others.
  const others = panel.fieldConfig.overrides.some(({ matcher }) => matcher.id === "byFrameRefID")
    ? [] : ["a", "b", "c"].map((name) => ({ refId: "A", name }));
  const named = [...coloured.map(called), ...others];
  const given = named.map(({ refId, name }) => data.toDataFrame({ refId, fields: [
    { name: "Time", type: "time", values: [NOW] },
    { name: "Value", type: "number", values: [1], labels: { name },
      config: { displayNameFromDS: name } }] }));
  const made = overridden(engine, panel, given);
  data.cacheFieldDisplayNames(made);
  const colours = made.map(({ fields }) => data.getFieldSeriesColor(fields[1], theme).color);
  if (new Set(colours).size < colours.length) tell(`series of one colour: ${colours}`);
  for (const [at, { properties }] of coloured.entries()) {
    const { color, displayName } = Object.fromEntries(properties.map(({ id, value }) => [id, value]));
    if (colours[at] !== color.fixedColor) tell(`${named[at].name} is ${colours[at]}, not ${color.fixedColor}`);
    const got = data.getFieldDisplayName(made[at].fields[1], made[at], made);
    if (got !== (displayName ?? named[at].name)) tell(`${named[at].name} reads ${got}`);
  }
}

/** What Prometheus' datasource gives for a table: a frame a query, a column a label. */
function frames(panel, labels) {
  const lone = panel.targets.length === 1;
  return panel.targets.map(({ refId }, at) => {
    // Most queries say only which system they speak of; `merge` must find the rows.
    const mine = at > 0 && labels.includes("system") ? ["system"] : labels;
    const texts = mine.map((name) => ({ name, type: "string", config: {},
      values: SYSTEMS.map((system) => `${name} of ${system}`) }));
    const value = { name: lone ? "Value" : `Value #${refId}`, type: "number", config: {},
      values: SYSTEMS.map((_, row) => at + row) };
    const time = { name: "Time", type: "time", config: {}, values: SYSTEMS.map(() => NOW) };
    return { refId, length: SYSTEMS.length, fields: [time, ...texts, value] };
  });
}

/** The value of an observable that has one. */
const value = (observable) =>
  new Promise((next, error) => observable.subscribe({ next, error }));

async function columns(engine, panel, tell, seen) {
  const { data, theme } = engine;
  const named = panel.transformations.find((it) => it.id === "filterFieldsByName");
  const organize = panel.transformations.find((it) => it.id === "organize");
  if (!named || !organize) return tell("a table without named columns");
  const { indexByName, renameByName } = organize.options;
  const wanted = named.options.include.names;
  const labels = wanted.filter((it) => !it.startsWith("Value"));
  const given = frames(panel, labels);
  const there = new Set(given.flatMap((it) => it.fields).map((it) => it.name));
  const made = await value(data.transformDataFrame(panel.transformations, given,
    { interpolate: (it) => it }));
  seen.transformations += panel.transformations.length;
  const [table, ...more] = overridden(engine, panel, made);
  if (!table || more.length) return tell(`${more.length + 1} tables, not one`);
  const titles = table.fields.map((field) => data.getFieldDisplayName(field, table, [table]));
  const meant = wanted.filter((it) => there.has(it))
    .sort((a, b) => indexByName[a] - indexByName[b]).map((it) => renameByName[it]);
  if (!isDeepStrictEqual(titles, meant)) tell(`columns are ${titles}, not ${meant}`);
  if (table.length !== SYSTEMS.length) tell(`${table.length} rows, not ${SYSTEMS.length}`);
  for (const { matcher, properties } of panel.fieldConfig.overrides) {
    const field = table.fields[titles.indexOf(matcher.options)];
    if (!field) {
      if (wanted.some((it) => !there.has(it) && renameByName[it] === matcher.options)) continue;
      tell(`an override of no column: ${matcher.options}`);
      continue;
    }
    for (const { id, value } of properties) {
      const got = id.split(".").reduce((it, key) => it?.[key], field.config);
      // The engine writes thresholds on: null is everything below.
      if (id !== "thresholds" && !isDeepStrictEqual(got, value)) {
        tell(`${matcher.options}: ${id} does not arrive: ${JSON.stringify(got)}`);
      }
    }
    values({ data, theme }, field.type, field.config, (what) => tell(`${matcher.options}: ${what}`), seen);
  }
}
