// The reference page: reads /openapi.json and shows it. No framework, no network but this service.
"use strict";

const METHODS = ["get", "post", "put", "patch", "delete"];
let description;

function element(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value !== undefined && value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

function headline(tag) {
  return tag === "dicom" ? "DICOM" : tag[0].toUpperCase() + tag.slice(1);
}

function prose(text) {
  const parts = text.split("`");
  return element("p", {}, ...parts.map((part, number) => (number % 2 ? element("code", {}, part) : part)));
}

function resolved(schema) {
  while (schema && schema.$ref) schema = description.components.schemas[schema.$ref.split("/").pop()];
  return schema || {};
}

function kindOf(schema) {
  if (!schema) return "";
  if (schema.$ref) {
    const name = schema.$ref.split("/").pop();
    const target = resolved(schema);
    return target.enum ? target.enum.join(" | ") : name;
  }
  if (schema.enum) return schema.enum.join(" | ");
  if (schema.const !== undefined) return String(schema.const);
  const either = schema.anyOf || schema.oneOf;
  if (either) return either.filter((one) => one.type !== "null").map(kindOf).join(" or ");
  if (schema.type === "array") return kindOf(schema.items) + "[]";
  return schema.type || "any";
}

function inner(schema) {
  const either = schema && (schema.anyOf || schema.oneOf);
  if (either) return inner(either.find((one) => one.type !== "null"));
  if (schema && schema.type === "array") return inner(schema.items);
  return resolved(schema);
}

function limits(schema) {
  const parts = [];
  const one = (schema.anyOf || [schema]).find((each) => each.type !== "null") || schema;
  if (one.maxLength) parts.push("at most " + one.maxLength + " characters");
  if (one.maxItems) parts.push("at most " + one.maxItems);
  if (one.minimum !== undefined) parts.push("from " + one.minimum);
  if (one.maximum !== undefined) parts.push("to " + one.maximum);
  if (one.pattern) parts.push("pattern " + one.pattern);
  return parts.join(", ");
}

function fields(schema, depth) {
  const target = inner(schema);
  if (!target.properties) return null;
  const rows = Object.entries(target.properties).map(([name, each]) => {
    const nested = depth < 2 && inner(each).properties
      ? element("details", {}, element("summary", { class: "small" }, "fields"), fields(each, depth + 1)) : null;
    const needed = (target.required || []).includes(name);
    return element("tr", {},
      element("td", {}, element("code", {}, name), needed ? element("span", { class: "required" }, " required") : null),
      element("td", {}, element("code", {}, kindOf(each))),
      element("td", {}, [each.description, limits(each)].filter(Boolean).join(" — "), nested));
  });
  return element("table", {}, element("thead", {}, element("tr", {}, ...["field", "type", "meaning"].map((text) => element("th", {}, text)))), element("tbody", {}, ...rows));
}

function bodySchema(operation) {
  const content = operation.requestBody && operation.requestBody.content;
  if (!content || !content["application/json"]) return null;
  const schema = content["application/json"].schema;
  const one = schema.anyOf ? schema.anyOf.find((each) => each.$ref) || schema : schema;
  return one;
}

function exampleOf(schema) {
  const target = inner(schema);
  return (target.examples && target.examples[0]) || target.example || {};
}

function parameterTable(parameters, inputs) {
  const rows = parameters.map((parameter) => {
    const input = element("input", { "aria-label": parameter.name, placeholder: parameter.in });
    inputs.push([parameter, input]);
    return element("tr", {},
      element("td", {}, element("code", {}, parameter.name), parameter.required ? element("span", { class: "required" }, " required") : null),
      element("td", {}, parameter.description || ""), element("td", {}, input));
  });
  return element("table", {}, element("tbody", {}, ...rows));
}

async function tryIt(method, path, inputs, bodyText, output) {
  let address = path;
  const query = new URLSearchParams();
  for (const [parameter, input] of inputs) {
    if (parameter.in === "path") address = address.replace("{" + parameter.name + "}", encodeURIComponent(input.value));
    else if (parameter.in === "query" && input.value) query.append(parameter.name, input.value);
  }
  if ([...query].length) address += "?" + query;
  const headers = {};
  const token = document.getElementById("token").value.trim();
  if (token) headers.Authorization = "Bearer " + token;
  if (bodyText !== null) headers["Content-Type"] = "application/json";
  output.textContent = "…";
  try {
    const answer = await fetch(address, { method: method.toUpperCase(), headers, body: bodyText === null ? undefined : bodyText });
    const text = (await answer.text()).slice(0, 200000);
    let shown = text;
    try { shown = JSON.stringify(JSON.parse(text), null, 2); } catch { /* not JSON: shown as it is */ }
    output.textContent = answer.status + " " + answer.statusText + "  " + (answer.headers.get("etag") || "") + "\n\n" + shown;
  } catch (error) {
    output.textContent = String(error);
  }
}

function operationPanel(method, path, shared, operation) {
  const inputs = [];
  const parameters = [...(shared || []), ...(operation.parameters || [])];
  const schema = bodySchema(operation);
  const output = element("pre", { hidden: true, "aria-live": "polite" });
  const body = schema ? element("textarea", { "aria-label": "request body", spellcheck: "false" }) : null;
  if (body) body.value = JSON.stringify(exampleOf(schema), null, 2);
  const success = Object.entries(operation.responses).find(([status]) => status.startsWith("2"));
  const answer = success && success[1].content && success[1].content["application/json"];
  const streams = path.endsWith("/events");
  return element("details", { class: "operation", id: method + path },
    element("summary", {}, element("span", { class: "verb " + method }, method.toUpperCase()), element("span", { class: "path" }, path), element("span", { class: "title" }, operation.summary || "")),
    element("div", { class: "inside" },
      ...(operation.description || "").split("\n\n").filter(Boolean).map(prose),
      parameters.length ? element("h3", {}, "Parameters") : null, parameters.length ? parameterTable(parameters, inputs) : null,
      schema ? element("h3", {}, "Body") : null, body,
      schema ? element("details", {}, element("summary", {}, "Fields of the body"), fields(schema, 0)) : null,
      answer && fields(answer.schema, 0) ? element("details", {}, element("summary", {}, "Fields of the answer (" + success[0] + ")"), fields(answer.schema, 0)) : null,
      streams ? null : element("p", {}, element("button", { type: "button", onclick: () => { output.hidden = false; tryIt(method, path, inputs, body ? body.value : null, output); } }, "Send")),
      output));
}

function openNamed() {
  const named = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (named) { named.open = true; named.scrollIntoView(); }
}

async function show() {
  description = await (await fetch("/openapi.json")).json();
  const groups = new Map();
  for (const [path, item] of Object.entries(description.paths)) {
    for (const method of METHODS.filter((each) => item[each])) {
      const tag = (item[method].tags || ["other"])[0];
      if (!groups.has(tag)) groups.set(tag, []);
      groups.get(tag).push([method, path, item.parameters, item[method]]);
    }
  }
  document.getElementById("about").append(...description.info.description.split("\n\n").map(prose));
  for (const [tag, operations] of groups) {
    document.getElementById("list").append(element("h2", {}, headline(tag)), ...operations.map(([method, path]) =>
      element("a", { href: "#" + encodeURIComponent(method + path) }, element("span", { class: "verb " + method }, method.toUpperCase()), element("span", { class: "path" }, path.replace("/api/radiology", "")))));
    document.getElementById("operations").append(element("h2", {}, headline(tag)), ...operations.map((each) => operationPanel(...each)));
  }
  document.getElementById("sign").addEventListener("submit", (event) => event.preventDefault());
  addEventListener("hashchange", openNamed);
  openNamed();
}

show();
