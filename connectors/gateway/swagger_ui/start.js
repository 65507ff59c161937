// Nothing is asked of anybody but this gateway: no validator, no fonts, no address of another.
window.ui = SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  validatorUrl: null,
  showCommonExtensions: true,
});
