# What live.R and calibrated.R share: how months of panels are weighted by survey's
# calibrate, and how a figure is printed.
suppressMessages(library(survey))
options(digits = 15)
args <- commandArgs(TRUE)
say <- function(name, x) for (i in seq_along(x))
  cat(k, if (length(x) > 1) paste0(name, i) else name, format(as.numeric(x[i]), digits = 15), "\n")

# design weighs some months together, each to its own margins, every weight
# times a factor. A person's household and stratum are the latest month's. Of
# stayers alone, each month has those who were there the month before. further
# adds margins of its own to a month.
design <- function(months, factor, stayers = FALSE, further = function(add, p, t) NULL) {
  p <- people[people$month %in% months & (!stayers | !is.na(people$used)), ]
  latest <- p[order(-p$month), ]
  latest <- latest[!duplicated(latest$id), ]
  at <- match(p$id, latest$id)
  p$household <- latest$household[at]; p$stratum <- latest$stratum[at]
  p$w0 <- p$base * factor
  columns <- character(); totals <- numeric()
  add <- function(name, values, total) {
    p[[name]] <<- as.numeric(values); columns <<- c(columns, name); totals <<- c(totals, factor * total)
  }
  for (t in months) {
    m <- margins[margins$month == t, ]
    add(paste0("all_", t), p$month == t, sum(m$population[m$margin == "sexage"]))
    for (column in c("sexage", "region", "work")) {
      part <- m[m$margin == column, ]
      if (column != "work") part <- part[-1, ]
      for (i in seq_len(nrow(part))) add(paste(column, i, t, sep = "_"), p$month == t & p[[column]] == part$category[i], part$population[i])
    }
    further(add, p, t)
  }
  ids <- if (all(p$household == 0)) ~id else ~household
  d <- if (all(p$stratum == 0)) svydesign(ids = ids, weights = ~w0, data = p) else
    svydesign(ids = ids, strata = ~stratum, weights = ~w0, data = p, nest = TRUE)
  calibrate(d, reformulate(columns, intercept = FALSE), population = setNames(totals, columns), calfun = "raking", epsilon = 1e-13, maxit = 500)
}
