"""How a bench starts a service: with the options of deploy/Dockerfile."""

AS_THE_IMAGE = (
    "--http",
    "rihla.web.whole_answer:WholeAnswerProtocol",
    "--no-access-log",
    "--no-server-header",
    "--no-proxy-headers",
)
