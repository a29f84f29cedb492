// What @grafana/data takes for granted when it is loaded, and node has not: the globals of a
// browser. Nothing that is checked here draws or remembers anything, so they do nothing.
const nothing = new Proxy(function () {}, {
  get: (_, key) =>
    key === Symbol.toPrimitive ? () => "" : key === Symbol.iterator ? () => [].values() : nothing,
  apply: () => nothing,
  construct: () => nothing,
  set: () => true,
});

globalThis.window ??= globalThis;
globalThis.document ??= nothing;
globalThis.history ??= nothing;
globalThis.navigator ??= { language: "vi", languages: ["vi"], userAgent: "node" };
globalThis.localStorage ??= { getItem: () => null, setItem() {}, removeItem() {} };
globalThis.addEventListener ??= () => {};
globalThis.removeEventListener ??= () => {};

// Some of what it loads says hello, or that this is no browser.
console.log = console.info = console.warn = console.error = () => {};
