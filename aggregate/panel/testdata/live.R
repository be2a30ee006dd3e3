# Estimates from the panels that live_test.go wrote, with survey's calibrate, and
# prints "panel name value" lines. Arguments: the folder, the number of panels.
source("testdata/design.R")

# hall gives Hall's interval of a ratio. z is the ratio's influence on the
# calibration residuals, regressed anew.
hall <- function(d, num, den) {
  p <- d$variables; w <- weights(d)
  r <- svyratio(reformulate(num), reformulate(den), d)
  y <- (p[[num]] - coef(r) * p[[den]]) / sum(w * p[[den]])
  z <- w * resid(lm(y ~ sexage + region + work, data = p, weights = p$base))
  cluster <- interaction(d$strata[, 1], d$cluster[, 1], drop = TRUE)
  total <- tapply(z, cluster, sum); stratum <- tapply(as.integer(factor(d$strata[, 1])), cluster, function(x) x[1])
  se <- as.numeric(SE(r))
  a <- sum((total - ave(total, stratum))^3) / se^3
  q <- qt(.975, degf(d)); root <- function(x) sign(x) * abs(x)^(1 / 3)
  inv <- function(x) 3 / a * (root(1 + a * (x - a / 6)) - 1)
  c(max(0, coef(r) - se * inv(q)), coef(r) - se * inv(-q))
}

# places gives the ranks by Holm's adjustment of each pair's p.
places <- function(d, names) {
  t <- svytotal(reformulate(names), d); n <- length(names); pairs <- combn(n, 2)
  p <- apply(pairs, 2, function(i) {
    k <- rep(0, n); k[i] <- c(1, -1)
    one <- svycontrast(t, k)
    2 * pt(-abs(coef(one) / SE(one)), degf(d))
  })
  sure <- p.adjust(p, "holm") < 0.05
  low <- rep(1, n); high <- rep(n, n)
  for (j in which(sure)) {
    i <- pairs[, j]; if (coef(t)[i[1]] < coef(t)[i[2]]) i <- rev(i)
    low[i[2]] <- low[i[2]] + 1; high[i[1]] <- high[i[1]] - 1
  }
  say("low", low); say("high", high)
}

for (k in seq_len(as.integer(args[2])) - 1) {
  people <- read.csv(file.path(args[1], paste0(k, "-people.csv")), colClasses = c(sexage = "character", region = "character", work = "character"))
  people$used <- people$users[match(paste(people$id, people$month - 1), paste(people$id, people$month))]
  margins <- read.csv(file.path(args[1], paste0(k, "-margins.csv")), colClasses = c(category = "character"))

  d <- design(3, 1)
  say("weight", weights(d)[1:5]); say("df", degf(d))
  t <- svytotal(~ users + rare + minutes, d)
  for (v in names(coef(t))) { say(v, coef(t)[v]); say(paste0(v, "_se"), SE(t)[match(v, names(coef(t)))]) }
  r <- svyratio(~minutes, ~users, d); say("ratio", coef(r)); say("ratio_se", SE(r))
  c <- svycontrast(t, c(users = 1, rare = -1)); say("diff", coef(c)); say("diff_se", SE(c))
  say("logit", confint(svyciprop(~users, d, method = "logit"), df = degf(d)))
  say("beta", confint(svyciprop(~rare, d, method = "beta")))
  say("hall", hall(d, "minutes", "users"))
  places(d, paste0("s", 1:6))

  two <- update(design(2:3, 1), now = users * (month == 3), before = users * (month == 2))
  t <- svytotal(~ now + before, two)
  c <- svycontrast(t, c(now = 1, before = -1)); say("change", coef(c)); say("change_se", SE(c)); say("change_df", degf(two))
  r <- svyratio(~now, ~before, two); say("percent", 100 * (coef(r) - 1)); say("percent_se", 100 * SE(r))
  v <- vcov(t); q2 <- qt(.975, degf(two))^2; a <- coef(t)[1]; b <- coef(t)[2]
  say("fieller", 100 * (sort(Re(polyroot(c(a^2 - q2 * v[1, 1], -2 * (a * b - q2 * v[1, 2]), b^2 - q2 * v[2, 2])))) - 1))

  three <- design(1:3, 1 / 3)
  t <- svytotal(~ users + minutes, three); say("pool", coef(t)); say("pool_se", SE(t)); say("pool_df", degf(three))
  r <- svyratio(~minutes, ~users, three); say("pool_ratio", coef(r)); say("pool_ratio_se", SE(r))
  say("pool_logit", confint(svyciprop(~users, three, method = "logit"), df = degf(three)))
  # Of a target, of how much was used, and of days, which each month has its own number of.
  three <- update(three, there = as.numeric(id %% 3 == 0), both = users * (id %% 3 == 0), often = as.numeric(minutes > 60),
    part = minutes / (30 + month %% 2), active = pmax(users, s1, id %% 3 == 0))
  one <- svycontrast(svytotal(~ both + users + there + active, three), list(
    share = quote(both / users), reach = quote(both / there), index = quote(both * active / (users * there))))
  say("pool_share", coef(one)[["share"]]); say("pool_share_se", SE(one)[["share"]])
  say("pool_reach", coef(one)[["reach"]]); say("pool_reach_se", SE(one)[["reach"]])
  say("pool_index", coef(one)[["index"]]); say("pool_index_se", SE(one)[["index"]])
  t <- svytotal(~ often + part, three); say("pool_often", coef(t)[1]); say("pool_often_se", SE(t)[1])
  say("pool_part", coef(t)[2]); say("pool_part_se", SE(t)[2])
  # svyciprop(method = "beta") counts rows; n is the persons of the months together.
  m <- svymean(~rare, three); x <- as.numeric(coef(m)); n <- length(unique(three$variables$id))
  n <- x * (1 - x) / as.numeric(vcov(m)) * (qt(.025, n - 1) / qt(.025, degf(three)))^2
  say("pool_beta", c(qbeta(.025, n * x, n * (1 - x) + 1), qbeta(.975, n * x + 1, n * (1 - x))))

  turn <- update(design(2:3, 1 / 2, TRUE), came = users * (1 - used), stayed = users * used, left = (1 - users) * used)
  say("turn_df", degf(turn))
  for (v in c("came", "stayed")) { r <- svyratio(reformulate(v), ~users, turn); say(v, coef(r)); say(paste0(v, "_se"), SE(r)) }
  r <- svyratio(~left, ~used, turn); say("left", coef(r)); say("left_se", SE(r))
}
