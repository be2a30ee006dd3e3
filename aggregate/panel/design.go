package panel

import (
	"math"

	"rollcall"
)

// unit is where a panelist was sampled. A household of 0 is the person's own.
type unit struct {
	stratum   rollcall.Stratum
	household rollcall.Household
}

// design says who varies with whom: the persons of one household are one
// cluster, and clusters vary about the mean of their stratum. Without
// households every person is a cluster, without strata all are one stratum.
type design struct {
	cluster []int32 // of each panelist
	stratum []int32 // of each cluster
	size    []int32 // of each stratum, in clusters
	first   []int32 // of each cluster, and one more: where its panelists begin in members
	members []int32 // panelists, cluster by cluster
}

// newDesign makes the clusters and strata of panelists. person gives each
// panelist's person, who may be panelist in several months; nil: each is
// another.
func newDesign(units []unit, person []int32) *design {
	d := &design{cluster: make([]int32, len(units))}
	households, alone := map[unit]int32{}, make([]int32, len(units)) // cluster, plus 1
	strata := map[rollcall.Stratum]int32{}
	for i, u := range units {
		of := int32(i)
		if person != nil {
			of = person[i]
		}
		number := alone[of]
		if u.household != 0 {
			number = households[u]
		}
		if number == 0 {
			d.stratum = append(d.stratum, d.stratumOf(u.stratum, strata))
			number = int32(len(d.stratum))
			if u.household != 0 {
				households[u] = number
			} else {
				alone[of] = number
			}
		}
		d.cluster[i] = number - 1
	}
	d.gather()
	return d
}

// stratumOf numbers the strata, and counts one more cluster in this one.
func (d *design) stratumOf(s rollcall.Stratum, strata map[rollcall.Stratum]int32) int32 {
	number, ok := strata[s]
	if !ok {
		number = int32(len(d.size))
		strata[s] = number
		d.size = append(d.size, 0)
	}
	d.size[number]++
	return number
}

// gather lists the panelists of each cluster.
func (d *design) gather() {
	d.first = make([]int32, len(d.stratum)+1)
	for _, c := range d.cluster {
		d.first[c+1]++
	}
	for c := range d.stratum {
		d.first[c+1] += d.first[c]
	}
	next := append([]int32(nil), d.first...)
	d.members = make([]int32, len(d.cluster))
	for i, c := range d.cluster {
		d.members[next[c]] = int32(i)
		next[c]++
	}
}

// of gives the panelists of a cluster.
func (d *design) of(cluster int32) []int32 {
	return d.members[d.first[cluster]:d.first[cluster+1]]
}

// clusters gives the number of clusters.
func (d *design) clusters() int { return len(d.stratum) }

// alone reports whether every panelist is a cluster.
func (d *design) alone() bool { return len(d.stratum) == len(d.cluster) }

// freedom gives the degrees of freedom: clusters less strata.
func (d *design) freedom() int { return len(d.stratum) - len(d.size) }

// factor gives c/(c-1) of a cluster's stratum of c clusters, 1 where it is the
// stratum's only one.
func (d *design) factor(cluster int32) float64 {
	c := float64(d.size[d.stratum[cluster]])
	if c == 1 {
		return 1
	}
	return c / (c - 1)
}

// lonely gives a panelist of each stratum that has one cluster only, where there
// are several strata.
func lonely(units []unit) []int {
	d := newDesign(units, nil)
	var out []int
	for c, h := range d.stratum {
		if d.size[h] == 1 && len(d.size) > 1 {
			out = append(out, int(d.of(int32(c))[0]))
		}
	}
	return out
}

// centred turns a sum over the clusters of factor*x*y, and the sums of x and y
// by stratum, into sum of c/(c-1) sum (x - mean x)(y - mean y). Where a stratum
// has one cluster, the means are those of all clusters. It is NaN for a single
// cluster.
func (d *design) centred(product float64, x, y []float64) float64 {
	n := float64(d.clusters())
	if n < 2 {
		return math.NaN()
	}
	var meanX, meanY float64
	for h := range d.size {
		meanX += x[h] / n
		meanY += y[h] / n
	}
	for h, size := range d.size {
		if size == 1 {
			product += meanX*meanY - x[h]*meanY - meanX*y[h]
			continue
		}
		product -= x[h] * y[h] / float64(size-1)
	}
	return product
}

// cubes gives the sum over clusters of (z - mean z)^3, the means as centred's.
func (d *design) cubes(z []float64) float64 {
	means, mean := make([]float64, len(d.size)), 0.0
	for c, x := range z {
		means[d.stratum[c]] += x / float64(d.size[d.stratum[c]])
		mean += x / float64(len(z))
	}
	for h, size := range d.size {
		if size == 1 {
			means[h] = mean
		}
	}
	var out float64
	for c, x := range z {
		off := x - means[d.stratum[c]]
		out += off * off * off
	}
	return out
}
