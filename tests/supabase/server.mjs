// A server of Supabase's Data API for the tests: nano-supabase over Postgres in WebAssembly.
//
//   node server.mjs MIGRATIONS [PORT]
//
// Prints {"port": ...} when it listens. The keys below stand for the roles, as at Supabase's
// gateway: the library trusts tokens alone that it signed itself, so each key is exchanged for
// one. What PostgREST says otherwise than the library does (statuses, and what is missing from
// its schema cache) is put right here. POST /sql runs statements as the database's owner: the
// tests read the truth there.

import { readdir, readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";
import { PGlite, types } from "@electric-sql/pglite";
import { pgcrypto } from "@electric-sql/pglite/contrib/pgcrypto";

// The library's parser loads its WebAssembly by fetching a file: address, which Node refuses.
const fetchFromAfar = globalThis.fetch;
globalThis.fetch = async (what, options) => {
  const address = String(what?.url ?? what);
  if (!address.startsWith("file:")) return fetchFromAfar(what, options);
  return new Response(await readFile(fileURLToPath(address)), {
    headers: { "Content-Type": "application/wasm" },
  });
};
const { AuthHandler, PostgrestParser, createAccessToken, handleDataRoute, setAuthContext } =
  await import("nano-supabase");

const jwt = (role) => {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  return `${part({ alg: "HS256", typ: "JWT" })}.${part({ iss: "supabase", ref: "test", role })}.c2lnbmF0dXJl`;
};
const ROLES = {
  sb_publishable_test: "anon",
  sb_secret_test: "service_role",
  [jwt("anon")]: "anon",
  [jwt("service_role")]: "service_role",
};

const [folder, port = "0"] = process.argv.slice(2);
const isoTime = (text) => text.replace(" ", "T").replace(/([+-]\d\d)$/, "$1:00");
const db = new PGlite({ extensions: { pgcrypto }, parsers: { [types.TIMESTAMPTZ]: isoTime } });
await new AuthHandler(db).initialize();
for (const name of (await readdir(folder)).filter((name) => name.endsWith(".sql")).sort()) {
  await db.exec(await readFile(`${folder}/${name}`, "utf8"));
}
await PostgrestParser.init();
const readSchema = () =>
  PostgrestParser.initSchema(async (sql) => ({ rows: (await db.query(sql)).rows }));
await readSchema();
const parser = new PostgrestParser();
const tokens = {};
for (const role of new Set(Object.values(ROLES))) {
  const user = { id: "00000000-0000-4000-8000-000000000000", role, email: "" };
  tokens[role] = await createAccessToken(db, user, "test", 10 ** 9);
}

const json = (status, value) => ({ status, body: JSON.stringify(value) });

// https://docs.postgrest.org/en/stable/references/errors.html
function statusOf(code, role) {
  if (code === "42501") return role === "anon" ? 401 : 403;
  if (["23503", "23505"].includes(code)) return 409;
  if (["42883", "42P01", "PGRST202", "PGRST205"].includes(code)) return 404;
  if (["08", "53"].includes(code.slice(0, 2))) return 503;
  if (["25", "38", "39", "3B", "40", "54", "55", "57", "58", "XX"].includes(code.slice(0, 2))) return 500;
  return 400;
}

function asPostgrest(error, method, table) {
  if (method === "POST" && error.code === "42703") {
    const column = /column "([^"]+)"/.exec(error.message)?.[1];
    const message = `Could not find the '${column}' column of '${table}' in the schema cache`;
    return { code: "PGRST204", message, details: null, hint: null };
  }
  if (error.code === "42P01") {
    const message = `Could not find the table 'public.${table}' in the schema cache`;
    return { code: "PGRST205", message, details: null, hint: null };
  }
  if (error.code === "42883") {
    const message = `Could not find the function public.${table} in the schema cache`;
    return { code: "PGRST202", message, details: null, hint: null };
  }
  return {
    code: error.code ?? "XX000",
    message: error.message,
    details: error.details ?? error.detail ?? null,
    hint: error.hint ?? null,
  };
}

// As PostgREST does: one statement for all rows, so that they are stored together or not at all.
async function insert(table, columns, body) {
  const quoted = (name) => `"${name.replaceAll('"', '""')}"`;
  let rows;
  try {
    rows = JSON.parse(body);
  } catch {
    throw Object.assign(new Error("Empty or invalid json"), { code: "PGRST102" });
  }
  rows = Array.isArray(rows) ? rows : [rows];
  const names = (columns ? columns.split(",") : Object.keys(rows[0] ?? {})).map((name) =>
    quoted(name.replace(/^"|"$/g, "")),
  );
  await db.query(
    `INSERT INTO public.${quoted(table)} (${names}) SELECT ${names} ` +
      `FROM json_populate_recordset(null::public.${quoted(table)}, $1::text::json) RETURNING 1`,
    [JSON.stringify(rows)],
  );
}

async function answer(request, body) {
  const url = new URL(request.url, "http://localhost");
  if (url.pathname === "/sql") {
    await db.exec("RESET ROLE");
    const results = await db.exec(body);
    await readSchema();
    return json(200, results.at(-1)?.rows ?? []);
  }
  const role = ROLES[request.headers.apikey];
  const bearer = request.headers.authorization;
  if (role === undefined || (bearer && bearer !== `Bearer ${request.headers.apikey}`)) {
    const hint = "Double check your Supabase `anon` or `service_role` API key.";
    return json(401, { message: "Invalid API key", hint });
  }
  const path = url.pathname.split("/").slice(3);
  if (request.method === "POST" && path.length === 1) {
    try {
      await setAuthContext(db, tokens[role]);
      await insert(path[0], url.searchParams.get("columns"), body);
    } catch (error) {
      const told = asPostgrest(error, "POST", path[0]);
      return json(statusOf(told.code, role), told);
    }
    return { status: 201, body: "" };
  }
  const headers = { ...request.headers, authorization: `Bearer ${tokens[role]}` };
  delete headers.connection;
  delete headers["transfer-encoding"];
  const bodyless = ["GET", "HEAD"].includes(request.method);
  const forwarded = new Request(url, { method: request.method, headers, body: bodyless ? undefined : body });
  const given = await handleDataRoute(forwarded, url.pathname, db, parser);
  const text = await given.text();
  if (given.ok) return { status: given.status, body: text };
  const told = asPostgrest(JSON.parse(text), request.method, path.at(-1));
  return json(statusOf(told.code, role), told);
}

// One connection is all that there is, and its role is set for a request: one at a time.
let turn = Promise.resolve();
const server = createServer((request, response) => {
  const parts = [];
  request.on("data", (part) => parts.push(part));
  request.on("end", () => {
    turn = turn.then(async () => {
      let given;
      try {
        given = await answer(request, Buffer.concat(parts).toString("utf8"));
      } catch (error) {
        given = json(500, { code: error.code ?? "XX000", message: String(error.message) });
      }
      response.writeHead(given.status, { "Content-Type": "application/json; charset=utf-8" });
      response.end(given.body);
    });
  });
});
server.listen(Number(port), "127.0.0.1", () => {
  console.log(JSON.stringify({ port: server.address().port, anon: jwt("anon"), service: jwt("service_role") }));
});
