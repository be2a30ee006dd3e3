# Estimates from the panels that calibrated_test.go wrote, calibrated to the users
# of two services as well, and prints "panel name value" lines. What the errors of
# the inputs add is found by raking anew to one user more and one fewer of each
# margin. Arguments: the folder, the number of panels.
source("testdata/design.R")

# calibrated is such a design with the users of services among the margins. more is
# how many more users each of those has.
calibrated <- function(months, factor, stayers = FALSE, more = rep(0, nrow(inputs))) {
  d <- design(months, factor, stayers, function(add, p, t)
    for (i in which(inputs$month == t)) add(paste("of", inputs$service[i], t, sep = "_"), p$month == t & p[[inputs$service[i]]] == 1, inputs$persons[i] + more[i]))
  update(d, both = s1 * s2, active = pmax(users, s1, s2, s3), now = users * (month == max(months)), before = users * (month == min(months)),
    now3 = s3 * (month == max(months)), before3 = s3 * (month == min(months)),
    came = s3 * (1 - pmin(used, 1)), stayed = s3 * pmin(used, 1))
}

# moved is how far each input moves some figures of a design where it doubles:
# the count of a month's service moves them up, and what it is divided by down,
# in every month that has the same.
moved <- function(figures, months, ...) {
  by <- list()
  for (i in which(inputs$month %in% months)) {
    one <- rep(0, nrow(inputs)); one[i] <- 1
    slope <- inputs$persons[i] * (figures(calibrated(months, ..., more = one)) - figures(calibrated(months, ..., more = -one))) / 2
    for (part in list(list(paste("count", i), inputs$count_rse[i], 1), list(inputs$divisor[i], inputs$divisor_rse[i], -1))) {
      if (is.null(by[[part[[1]]]])) by[[part[[1]]]] <- 0
      by[[part[[1]]]] <- by[[part[[1]]]] + part[[3]] * part[[2]] * slope
    }
  }
  do.call(rbind, by)
}

# errors prints figures with their standard errors, given those of the sample.
errors <- function(names, values, variances, d) {
  for (i in seq_along(names)) { say(names[i], values[i]); say(paste0(names[i], "_se"), sqrt(variances[i] + sum(d[, i]^2))) }
}

for (k in seq_len(as.integer(args[2])) - 1) {
  people <- read.csv(file.path(args[1], paste0(k, "-people.csv")), colClasses = c(sexage = "character", region = "character", work = "character"))
  people$used <- people$s3[match(paste(people$id, people$month - 1), paste(people$id, people$month))]
  margins <- read.csv(file.path(args[1], paste0(k, "-margins.csv")), colClasses = c(category = "character"))
  inputs <- read.csv(file.path(args[1], paste0(k, "-inputs.csv")))

  d <- calibrated(3, 1); say("weight", weights(d)[1:5])
  quotes <- list(users = quote(users), rare = quote(rare), minutes = quote(minutes), s3 = quote(s3), ratio = quote(minutes / users),
    diff = quote(s1 - s3), share = quote(s1 / (s1 + s2 + s3)), reach = quote(s3 / active), index = quote(both * active / (s1 * s2)))
  base <- function(d) svytotal(~ users + rare + minutes + s1 + s2 + s3 + both + active, d)
  figures <- function(d) coef(svycontrast(base(d), quotes))
  c <- svycontrast(base(d), quotes)
  errors(names(quotes), coef(c), diag(vcov(c)), moved(figures, 3, 1))

  two <- calibrated(2:3, 1)
  quotes <- list(change = quote(now - before), percent = quote(100 * (now / before - 1)), change3 = quote(now3 - before3))
  base <- function(d) svytotal(~ now + before + now3 + before3, d)
  figures <- function(d) coef(svycontrast(base(d), quotes))
  c <- svycontrast(base(two), quotes)
  errors(names(quotes), coef(c), diag(vcov(c)), moved(figures, 2:3, 1))
  t <- base(two); v <- vcov(t) + crossprod(moved(function(d) coef(base(d)), 2:3, 1))
  q2 <- qt(.975, degf(two))^2; a <- coef(t)[3]; b <- coef(t)[4]
  say("fieller", 100 * (sort(Re(polyroot(c(a^2 - q2 * v[3, 3], -2 * (a * b - q2 * v[3, 4]), b^2 - q2 * v[4, 4])))) - 1))

  quotes <- list(pool = quote(s3), pool_minutes = quote(minutes), pool_ratio = quote(minutes / users), pool_reach = quote(s3 / active))
  base <- function(d) svytotal(~ users + minutes + s3 + active, d)
  figures <- function(d) coef(svycontrast(base(d), quotes))
  c <- svycontrast(base(calibrated(1:3, 1 / 3)), quotes)
  errors(names(quotes), coef(c), diag(vcov(c)), moved(figures, 1:3, 1 / 3))

  quotes <- list(came = quote(came / s3), stayed = quote(stayed / s3))
  base <- function(d) svytotal(~ came + stayed + s3, d)
  figures <- function(d) coef(svycontrast(base(d), quotes))
  c <- svycontrast(base(calibrated(3, 1, TRUE)), quotes)
  errors(names(quotes), coef(c), diag(vcov(c)), moved(figures, 3, 1, TRUE))
}
