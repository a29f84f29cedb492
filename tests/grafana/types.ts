// What a dashboard's JSON may be, made of the types of one major of Grafana: `@grafana/schema` and
// `panel/*` are led to that major by check.mjs, which writes each piece of each dashboard as
// `… satisfies …`, so that a property that the type has not is an error too.
//
// Grafana's types say what its code holds in memory, not what it reads. Where the two differ, it
// says so here; everything else is theirs.

import type * as schema from "@grafana/schema";
import type * as bargauge from "panel/bargauge";
import type * as stat from "panel/stat";
import type * as stateTimeline from "panel/statetimeline";
import type * as statusHistory from "panel/statushistory";
import type * as table from "panel/table";
import type * as timeseries from "panel/timeseries";
import type { PrometheusDataQuery } from "query/prometheus";

/** As JSON has it: the text of an enumeration in place of its member. */
export type Json<T> = T extends string
  ? `${T}`
  : T extends number | boolean | null | undefined
    ? T
    : T extends (infer Item)[]
      ? Json<Item>[]
      : T extends object
        ? { [Key in keyof T]: Json<T[Key]> }
        : T;

/** An interface may take back what its base says. */
type Without<T, Key extends PropertyKey> = Omit<Json<T>, Key>;

/** Every datasource is the one that is chosen at the top. */
interface Datasource {
  type: "prometheus";
  uid: "${datasource}";
}

// --- Panels ---------------------------------------------------------------------------------------

/** Of a link on a value; the types of 10 leave it open. */
interface DataLink {
  title: string;
  url: string;
  targetBlank: boolean;
}

interface Field extends Without<schema.FieldConfig, "custom" | "links"> {
  links?: DataLink[];
}

/** What may be set for single fields, by its path. */
type Property<Custom> =
  | { [Key in keyof Field]-?: { id: Key; value: NonNullable<Field[Key]> } }[keyof Field]
  | {
      [Key in keyof Custom & string]-?: { id: `custom.${Key}`; value: NonNullable<Custom[Key]> };
    }[keyof Custom & string];

interface Override<Custom> {
  matcher: { id: "byName" | "byRegexp" | "byFrameRefID"; options: string };
  properties: Property<Custom>[];
}

/** Options are filled up with the panel's own defaults: none must be there. */
interface Panel<Kind, Options, Custom>
  extends Without<
    schema.Panel,
    "datasource" | "fieldConfig" | "options" | "targets" | "transformations" | "type"
  > {
  type: Kind;
  datasource: Datasource;
  fieldConfig: {
    defaults: Field & { custom?: [keyof Custom] extends [never] ? never : Partial<Custom> };
    overrides: Override<Custom>[];
  };
  options: Partial<Options>;
  targets: Query[];
  transformations: Transformation[];
}

/** Panels without settings of their own for fields. */
type Nothing = Record<never, never>;

export interface Panels {
  bargauge: Panel<"bargauge", Json<bargauge.Options>, Nothing>;
  row: Json<Omit<schema.RowPanel, "panels">> & { panels: never[] };
  stat: Panel<"stat", Json<stat.Options>, Nothing>;
  "state-timeline": Panel<
    "state-timeline",
    Json<stateTimeline.Options>,
    Json<stateTimeline.FieldConfig>
  >;
  "status-history": Panel<
    "status-history",
    Json<statusHistory.Options>,
    Json<statusHistory.FieldConfig>
  >;
  table: Panel<"table", Json<table.Options>, Json<table.FieldConfig>>;
  timeseries: Panel<"timeseries", Json<timeseries.Options>, Json<timeseries.FieldConfig>>;
}

/** After 10 the query's type went out of @grafana/schema with the datasource; these stayed. */
interface Query
  extends Pick<
    Json<PrometheusDataQuery>,
    "editorMode" | "expr" | "format" | "instant" | "legendFormat" | "range" | "refId"
  > {
  datasource: Datasource;
}

/** Their options are no part of @grafana/schema: engine.mjs runs them. */
type Transformation = Pick<Json<schema.DataTransformerConfig>, "disabled"> & {
  id: "merge" | "filterFieldsByName" | "organize";
  options: object;
};

// --- Dashboards -----------------------------------------------------------------------------------

/** What Prometheus' datasource reads of an annotation beside its query. */
interface Annotation
  extends Without<schema.AnnotationQuery, "datasource" | "target" | "filter" | "type"> {
  datasource: Datasource;
  tagKeys: string;
  target: { expr: string; interval: string; refId: string };
  textFormat: string;
  titleFormat: string;
  useValueForTime: boolean;
}

/** `current` is empty before anybody chose; `definition` is the query for the list of variables. */
interface Variable extends Without<schema.VariableModel, "current" | "datasource" | "type"> {
  current: Partial<Json<schema.VariableOption>>;
}

export type Variables =
  | (Variable & { type: "custom" })
  | (Variable & { type: "datasource"; query: "prometheus" })
  | (Variable & {
      type: "query";
      datasource: Datasource;
      definition: string;
      query: { qryType: 1 | 3; query: string; refId: string };
    });

export interface Dashboard
  extends Without<schema.Dashboard, "annotations" | "panels" | "templating"> {
  annotations: { list: Annotation[] };
  panels: never[];
  templating: { list: Variables[] };
}
