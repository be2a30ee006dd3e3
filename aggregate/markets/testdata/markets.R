# One service of several markets by survey alone: all markets in one design, in
# which each is a stratum of strata, calibrated to all markets' margins at once. The
# differences are contrasts of that design's totals, and know nothing of how Rollcall
# adds up variances. Arguments: the folder of people.csv and margins.csv. Prints "name value"
# lines.
suppressMessages(library(survey))
options(digits = 15)
dir <- commandArgs(TRUE)[1]
people <- read.csv(file.path(dir, "people.csv"), colClasses = c(household = "character", stratum = "character"))
margins <- read.csv(file.path(dir, "margins.csv"))
columns <- character(); totals <- numeric()
for (i in seq_len(nrow(margins))) {
  m <- margins[i, ]
  name <- paste0("c", i)
  people[[name]] <- as.numeric(people$market == m$market & people[[m$margin]] == m$category)
  columns <- c(columns, name); totals <- c(totals, m$population)
}
for (m in unique(people$market)) {
  people[[paste0("used_", m)]] <- people$used * (people$market == m)
  people[[paste0("active_", m)]] <- people$active * (people$market == m)
}
people$part <- paste(people$market, people$stratum)
people$cluster <- paste(people$market, people$household)
d <- svydesign(ids = ~cluster, strata = ~part, weights = ~base, data = people)
d <- calibrate(d, reformulate(columns, intercept = FALSE), population = setNames(totals, columns), calfun = "raking", epsilon = 1e-13, maxit = 500)
say <- function(name, x) cat(name, format(as.numeric(x), digits = 15), "\n")
markets <- sort(unique(people$market))
sums <- svytotal(reformulate(c(paste0("used_", markets), paste0("active_", markets))), d)
reach <- function(m) paste0("used_", m, " / active_", m)
r <- svycontrast(sums, setNames(lapply(reach(markets), str2lang), markets))
v <- vcov(r)
df <- sapply(markets, function(m) {
  own <- people[people$market == m, ]
  length(unique(own$cluster)) - length(unique(own$part))
})
for (m in markets) { say(paste(m, "reach"), 100 * coef(r)[m]); say(paste(m, "se"), 100 * sqrt(v[m, m])); say(paste(m, "df"), df[m]) }
order <- markets[order(-coef(r))]
for (i in seq_along(order)[-1]) {
  a <- order[i]; b <- order[i - 1]
  one <- svycontrast(sums, list(d = str2lang(paste(reach(a), "-", reach(b)))))
  se <- as.numeric(SE(one))
  w <- se^4 / (v[a, a]^2 / df[a] + v[b, b]^2 / df[b])
  name <- paste(a, "less", b)
  say(paste(name, "value"), 100 * coef(one)); say(paste(name, "se"), 100 * se)
  say(paste(name, "low"), 100 * (coef(one) - qt(.975, w) * se)); say(paste(name, "high"), 100 * (coef(one) + qt(.975, w) * se))
}
