package demo

import (
	"math/rand/v2"
	"strings"

	"github.com/deskhand/deskhand/core/policy"
)

// staff is how many people Oxbarrow has, those of the policy included.
const staff = 420

// A site's people have its country's names, mostly.
var sites = []struct {
	name, zone, code string
	first, last      []string
}{
	{"Leipzig", "Europe/Berlin", "LEJ", strings.Fields(`
		Anja Andreas Antje Bernd Christian Clara Daniela David Dirk Doreen Enrico Eva Florian Frank Franziska Georg Gudrun
		Hanna Heike Holger Ines Jan Jana Jens Jürgen Karsten Kerstin Lea Leon Lisa Lukas Maik Manuela Marcel Maria Markus
		Martina Michael Mirko Nadine Nico Olaf Paul Peter Petra Ralf Rico Robert Ronny Sabine Sebastian Silke Simon Steffen
		Susanne Sven Tim Tobias Torsten Ulrike Volker Yvonne Aylin Mehmet Thanh Linh Piotr Agnieszka Olena`), strings.Fields(`
		Albrecht Arnold Bauer Becker Beyer Böhme Braun Busch Dietrich Engel Ernst Fiedler Fischer Franke Friedrich Fuchs
		Graf Günther Haase Hahn Heinrich Hempel Hoffmann Huber Jahn Kaiser Keller Koch Kramer Kunze Lange Ludwig Maier
		Mertens Möbius Naumann Neumann Otto Peters Pfeiffer Richter Roth Sauer Schäfer Schilling Schubert Schulze Schwarz
		Simon Sommer Stein Thiele Ullrich Vogel Voigt Wagner Weber Weiß Werner Winter Wolf Ziegler Yilmaz Nguyen Kowalski`)},
	{"Porto", "Europe/Lisbon", "OPO", strings.Fields(`
		Alexandra Alice André Bárbara Bruno Carla Carlos Catarina Cláudia Cristina Daniel Diana Diogo Duarte Eduardo Fábio
		Fernanda Francisca Gonçalo Guilherme Helena Henrique Isabel João Jorge José Luís Luísa Mafalda Manuel Mariana Mário
		Nuno Patrícia Paulo Raquel Ricardo Rita Sandra Sérgio Sílvia Simão Sónia Susana Teresa Tomás Vasco Vítor`), strings.Fields(`
		Abreu Alves Antunes Araújo Barbosa Barros Batista Brito Cardoso Castro Coelho Correia Costa Cunha Dias Esteves Faria
		Fernandes Ferreira Figueiredo Freitas Gomes Gonçalves Guerra Henriques Leite Lopes Macedo Machado Magalhães Marques
		Martins Mendes Monteiro Morais Moreira Neves Nunes Pacheco Peixoto Pinheiro Pinto Ramos Reis Sequeira Simões Soares
		Tavares Valente Vaz Vieira`)},
	{"Gothenburg", "Europe/Stockholm", "GBG", strings.Fields(`
		Agneta Albin Alexander Alva Amanda Annika Anton Axel Carin Cecilia Christoffer Ebba Elias Emil Emma Eva Fredrik
		Gunnar Gustav Hanna Helena Ida Isak Jakob Jenny Johan Josefin Karl Kristina Lars Leif Linnea Lisa Magdalena Malin
		Mats Mikael Moa Nils Olle Patrik Pernilla Peter Rasmus Rebecka Sanna Simon Stina Tobias Tove Ulf Viktor Åsa Amira
		Darko Farid Leila Zeynep`), strings.Fields(`
		Andersson Axelsson Berg Bergman Björk Blom Carlsson Dahlberg Edlund Ek Eklund Engström Eriksson Forsberg Fransson
		Gustafsson Hallberg Hansson Hedlund Hellström Holmgren Isaksson Jansson Johansson Jonsson Karlsson Larsson Lind
		Lindberg Lindgren Lindholm Lundgren Lundin Löfgren Magnusson Mattsson Månsson Nordin Norén Olsson Persson Petersson
		Sandberg Sjöberg Ström Svensson Söderberg Wallin Westin Öberg Kovač Rahimi`)},
}

// The departments of those who are not in the policy, with the share of each
// at Leipzig, Porto and Gothenburg.
var jobs = []struct {
	department, head string
	titles           []string
	at               [3]int
}{
	{"production", "uwe.schreiber", []string{"Assembler", "Assembler", "Assembler", "Welder", "Painter", "Wheel builder", "Shift lead", "Maintenance technician"}, [3]int{100, 50, 2}},
	{"supply", "sara.nilsson", []string{"Warehouse operative", "Warehouse operative", "Buyer", "Planner", "Logistics coordinator"}, [3]int{26, 18, 8}},
	{"engineering", "erik.aberg", []string{"Design engineer", "Test engineer", "Electronics engineer", "Firmware developer", "CAD technician"}, [3]int{16, 0, 28}},
	{"sales", "thomas.reuter", []string{"Dealer manager", "Sales coordinator", "Fleet sales", "Key account manager"}, [3]int{14, 10, 12}},
	{"care", "stefan.uhlig", []string{"Customer care specialist", "Spare parts specialist", "Claims specialist"}, [3]int{12, 16, 0}},
	{"quality", "greta.winkler", []string{"Quality inspector", "Test technician"}, [3]int{10, 5, 2}},
	{"marketing", "vera.lund", []string{"Campaign manager", "Photographer", "Event manager", "Web editor"}, [3]int{2, 3, 10}},
	{"finance", "anders.melin", []string{"Accountant", "Accounts receivable", "Business controller"}, [3]int{6, 4, 6}},
	{"hr", "birgit.lehmann", []string{"HR partner", "Recruiter"}, [3]int{3, 1, 3}},
	{"facilities", "paula.rocha", []string{"Caretaker", "Receptionist"}, [3]int{4, 2, 3}},
}

// Colleagues are the people of Oxbarrow who are not in the policy. They ask for
// help in the History and do nothing else; they are the same in every run.
// A mail address of theirs is never one of taken.
func Colleagues(taken []policy.Person) []policy.Person {
	r := rand.New(rand.NewPCG(420, 1))
	used := map[string]bool{}
	for _, p := range taken {
		used[p.Mail] = true
	}
	var people []policy.Person
	for _, j := range jobs {
		for site, n := range j.at {
			s := sites[site]
			for range n {
				name, mail := "", ""
				for mail == "" || used[mail] {
					name = pick(r, s.first) + " " + pick(r, s.last)
					mail = mailOf(name)
				}
				used[mail] = true
				people = append(people, policy.Person{
					Name: name, Mail: mail, Title: pick(r, j.titles), Department: j.department,
					Site: s.name, TimeZone: s.zone, Manager: j.head + domain,
				})
			}
		}
	}
	r.Shuffle(len(people), func(i, j int) { people[i], people[j] = people[j], people[i] })
	return people[:min(len(people), max(0, staff-len(taken)))]
}

const domain = "@oxbarrow.example"

var plain = strings.NewReplacer("ä", "a", "å", "a", "á", "a", "ã", "a", "ö", "o", "ó", "o", "ô", "o", "õ", "o", "ü", "u",
	"ú", "u", "é", "e", "ê", "e", "í", "i", "ç", "c", "č", "c", "ß", "ss", " ", ".")

func mailOf(name string) string { return plain.Replace(strings.ToLower(name)) + domain }

func pick[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }
