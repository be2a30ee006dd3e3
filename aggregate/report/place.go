package report

// servicesAt gives the services that someone uses at p, given those at home and at work.
func servicesAt(p Place, home, work set) set {
	var out set
	for i := range home {
		switch p {
		case AtHome:
			out[i] = home[i]
		case AtWork:
			out[i] = work[i]
		case Both:
			out[i] = home[i] & work[i]
		case HomeOnly:
			out[i] = home[i] &^ work[i]
		case WorkOnly:
			out[i] = work[i] &^ home[i]
		default:
			out[i] = home[i] | work[i]
		}
	}
	return out
}
