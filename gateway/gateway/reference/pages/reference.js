"use strict";
// Reads /openapi.json and shows it. Text from the document is only ever set as text, never as markup.

const METHODS = ["get", "post", "put", "patch", "delete"];
let api = null;

function el(name, props = {}, ...children) {
  const node = Object.assign(document.createElement(name), props);
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

function resolve(node) {
  for (let i = 0; node && node.$ref && i < 20; i += 1) {
    node = node.$ref.slice(2).split("/").reduce((at, key) => at?.[key.replaceAll("~1", "/").replaceAll("~0", "~")], api);
  }
  return node || {};
}

// An example value of a schema: its own example, else one made of its parts.
function sample(schema, depth = 0) {
  schema = resolve(schema);
  if (schema.example !== undefined) return schema.example;
  if (Array.isArray(schema.examples) && schema.examples.length) return schema.examples[0];
  if (schema.const !== undefined) return schema.const;
  if (schema.default !== undefined) return schema.default;
  if (schema.enum) return schema.enum[0];
  if (depth > 6) return null;
  const choice = (schema.oneOf || schema.anyOf || []).find((option) => resolve(option).type !== "null");
  if (choice) return sample(choice, depth + 1);
  if (schema.allOf) return Object.assign({}, ...schema.allOf.map((part) => sample(part, depth + 1)));
  const type = Array.isArray(schema.type) ? schema.type.find((each) => each !== "null") : schema.type;
  if (type === "object" || schema.properties) {
    return Object.fromEntries(Object.entries(schema.properties || {}).map(([key, value]) => [key, sample(value, depth + 1)]));
  }
  if (type === "array") return schema.items ? [sample(schema.items, depth + 1)] : [];
  if (type === "integer" || type === "number") return schema.minimum ?? 0;
  if (type === "boolean") return false;
  return { "date-time": "2026-12-01T08:00:00Z", date: "2026-12-01", uuid: "0197f6d2-4b7e-7c3a-9a51-3f1f2b8f6c11", email: "a@example.com" }[schema.format] ?? "string";
}

function json(value) {
  return el("pre", { textContent: JSON.stringify(value, null, 2) });
}

function typeOf(schema) {
  schema = resolve(schema);
  const options = schema.anyOf || schema.oneOf;
  if (options) return options.map(typeOf).join(" or ");
  if (schema.enum) return schema.enum.join(" | ");
  return [schema.type, schema.format].filter(Boolean).join(", ") || "any";
}

function parameterTable(parameters, inputs) {
  if (!parameters.length) return null;
  const rows = parameters.map((parameter) => {
    const input = el("input", { placeholder: parameter.required ? "required" : "" });
    inputs.push([parameter, input]);
    const text = [parameter.in, typeOf(parameter.schema || {}), parameter.description].filter(Boolean).join(" — ");
    return el("tr", {}, el("td", {}, el("code", { textContent: parameter.name })), el("td", { textContent: text }), el("td", {}, input));
  });
  return el("table", {}, el("tbody", {}, ...rows));
}

function answers(operation) {
  return Object.entries(operation.responses || {}).map(([status, response]) => {
    response = resolve(response);
    const content = Object.values(response.content || {})[0];
    const examples = content?.examples ? Object.values(content.examples).map((each) => resolve(each).value) : [];
    const value = content ? content.example ?? examples[0] ?? (content.schema ? sample(content.schema) : undefined) : undefined;
    return el("details", {}, el("summary", { textContent: `${status} ${response.description || ""}` }), value === undefined ? null : json(value));
  });
}

async function send(path, method, inputs, body, output) {
  const query = new URLSearchParams();
  const headers = {};
  for (const [parameter, input] of inputs) {
    if (parameter.in === "path") path = path.replace(`{${parameter.name}}`, encodeURIComponent(input.value));
    else if (input.value && parameter.in === "query") query.append(parameter.name, input.value);
    else if (input.value && parameter.in === "header") headers[parameter.name] = input.value;
  }
  const credential = document.getElementById("credential").value.trim();
  if (credential.startsWith("rk_")) headers["X-API-Key"] = credential;
  else if (credential) headers.Authorization = `Bearer ${credential}`;
  if (body) headers["Content-Type"] = "application/json";
  const started = performance.now();
  try {
    const answer = await fetch(path + (query.size ? `?${query}` : ""), { method: method.toUpperCase(), headers, body: body || undefined });
    const text = await answer.text();
    let shown = text;
    try { shown = JSON.stringify(JSON.parse(text), null, 2); } catch { /* not JSON: shown as it came */ }
    output.textContent = `${answer.status} in ${Math.round(performance.now() - started)} ms, request ${answer.headers.get("x-request-id")}\n\n${shown}`;
  } catch (error) {
    output.textContent = String(error);
  }
}

function show(path, method, operation, shared) {
  const inputs = [];
  const parameters = [...shared, ...(operation.parameters || [])].map(resolve);
  const media = operation.requestBody ? Object.values(resolve(operation.requestBody).content || {})[0] : null;
  const example = media ? media.example ?? Object.values(media.examples || {}).map((each) => resolve(each).value)[0] ?? sample(media.schema) : null;
  const body = media ? el("textarea", { value: JSON.stringify(example, null, 2), ariaLabel: "request body" }) : null;
  const output = el("pre", { textContent: "Not sent yet." });
  const button = el("button", { textContent: "Send", onclick: () => send(path, method, inputs, body?.value, output) });
  const guarded = (operation.security || []).length && !operation.security.some((each) => !Object.keys(each).length);
  const head = el("summary", {}, el("span", { className: `method ${method}`, textContent: method.toUpperCase() }), el("code", { textContent: path }),
    ` ${operation.summary || ""} `, guarded ? el("span", { className: "lock", textContent: "sign-in or key" }) : null);
  const node = el("details", {}, head);
  node.dataset.find = `${method} ${path} ${operation.summary || ""}`.toLowerCase();
  node.addEventListener("toggle", () => {
    if (node.childElementCount > 1) return; // filled at the first opening
    node.append(...[el("p", { textContent: operation.description || "" }), parameterTable(parameters, inputs),
      body && el("h4", { textContent: "Body" }), body, el("h4", { textContent: "Answers" }), ...answers(operation), el("h4", { textContent: "Try" }), button, output].filter(Boolean));
  });
  return node;
}

async function main() {
  const operations = document.getElementById("operations");
  try {
    api = await (await fetch("/openapi.json")).json();
  } catch (error) {
    operations.textContent = `The description could not be loaded: ${error}`;
    return;
  }
  const groups = new Map((api.tags || []).map((tag) => [tag.name, el("section", {}, el("h2", { textContent: tag.name }), el("p", { textContent: tag.description || "" }))]));
  for (const [path, item] of Object.entries(api.paths)) {
    for (const method of METHODS.filter((each) => item[each])) {
      groups.get(item[method].tags?.[0])?.append(show(path, method, item[method], item.parameters || []));
    }
  }
  operations.replaceChildren(...groups.values());
  document.getElementById("find").addEventListener("input", (event) => {
    const wanted = event.target.value.toLowerCase();
    for (const node of operations.querySelectorAll("[data-find]")) node.hidden = !node.dataset.find.includes(wanted);
  });
}

main();
