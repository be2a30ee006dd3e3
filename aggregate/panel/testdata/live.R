# Weighs the panels that live_test.go wrote, with survey's calibrate, and prints
# name value lines. Arguments: the folder, the number of panels.
suppressMessages(library(survey))
options(digits = 15)
args <- commandArgs(TRUE)
say <- function(panel, name, x) cat(panel, name, format(as.numeric(x), digits = 15), "\n")
for (k in seq_len(as.integer(args[2])) - 1) {
  p <- read.csv(file.path(args[1], paste0(k, "-people.csv")), colClasses = c(sexage = "factor", region = "factor", work = "factor"))
  m <- read.csv(file.path(args[1], paste0(k, "-margins.csv")), colClasses = c(category = "character"))
  target <- function(column) {
    part <- m[m$margin == column, ]
    levels <- levels(p[[column]])[-1]
    setNames(part$population[match(levels, part$category)], paste0(column, levels))
  }
  totals <- c("(Intercept)" = sum(m$population[m$margin == "sexage"]), target("sexage"), target("region"), target("work"))
  d <- svydesign(id = ~1, weights = ~base, data = p)
  d <- calibrate(d, ~ sexage + region + work, population = totals, calfun = "raking", epsilon = 1e-13, maxit = 500)
  for (i in 1:5) say(k, paste0("weight", i), weights(d)[i])
  t <- svytotal(~ users + rare + minutes, d)
  for (v in names(coef(t))) { say(k, v, coef(t)[v]); say(k, paste0(v, "_se"), SE(t)[match(v, names(coef(t)))]) }
  r <- svyratio(~minutes, ~users, d)
  say(k, "ratio", coef(r)); say(k, "ratio_se", SE(r))
  c <- svycontrast(t, c(users = 1, rare = -1))
  say(k, "diff", coef(c)); say(k, "diff_se", SE(c))
  for (method in c("logit", "beta")) {
    ci <- confint(svyciprop(if (method == "logit") ~users else ~rare, d, method = method))
    say(k, paste0(method, "_low"), ci[1]); say(k, paste0(method, "_high"), ci[2])
  }
}
