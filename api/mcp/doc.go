// Package mcp serves the API's figures to analysts' assistants, by the Model
// Context Protocol over HTTP. Each tool asks one route of the API in the caller's
// name, and gives what it answers as it is, beside what the figures mean in words.
package mcp
