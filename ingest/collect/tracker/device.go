package tracker

import (
	"strings"

	"github.com/segmentio/encoding/json"

	"rollcall"
	"rollcall/ingest"
)

// devices are the words for kinds of devices that trackers have.
var devices = map[string]rollcall.Platform{
	"phone": rollcall.Phone, "mobile": rollcall.Phone, "smartphone": rollcall.Phone, "handset": rollcall.Phone,
	"ios": rollcall.Phone, "android": rollcall.Phone, "iphone": rollcall.Phone,
	"tablet": rollcall.Tablet, "ipad": rollcall.Tablet, "ipados": rollcall.Tablet,
	"computer": rollcall.Computer, "desktop": rollcall.Computer, "laptop": rollcall.Computer, "pc": rollcall.Computer,
	"mac": rollcall.Computer, "macos": rollcall.Computer, "windows": rollcall.Computer, "linux": rollcall.Computer,
	"web": rollcall.Web, "browser": rollcall.Web,
	"tv": rollcall.OtherPlatform, "smarttv": rollcall.OtherPlatform, "console": rollcall.OtherPlatform,
	"watch": rollcall.OtherPlatform, "wearable": rollcall.OtherPlatform, "car": rollcall.OtherPlatform,
}

// device is what a tracker says of the device. Some clients send an empty array
// where they know nothing.
type device struct {
	Device    json.RawMessage `json:"device"`
	OS        json.RawMessage `json:"os"`
	UserAgent json.RawMessage `json:"userAgent"`
}

// device tells the platform where the properties don't: by the device's type, else
// by the user agent, else by the operating system's name.
func (r *Request) device(f *ingest.Fields, context json.RawMessage) {
	if f.Platform != "" || !isObject(context) {
		return
	}
	var d device
	if parse(context, &d) != nil {
		return
	}
	var of struct{ Type, Model, Name json.RawMessage }
	if isObject(d.Device) {
		_ = json.Unmarshal(d.Device, &of) // of what can't be read nothing is known
	}
	if platform, ok := devices[strings.ToLower(lenient(of.Type))]; ok {
		if platform == rollcall.Phone && r.Platform(lenient(of.Model)) == rollcall.Tablet { // iOS and Android are on both
			platform = rollcall.Tablet
		}
		f.Platform = platform.String()
		return
	}
	if agent := lenient(d.UserAgent); agent != "" {
		f.Platform = r.Platform(agent).String()
		return
	}
	var system struct{ Name json.RawMessage }
	if isObject(d.OS) {
		_ = json.Unmarshal(d.OS, &system) // as above
	}
	if platform, ok := devices[strings.ToLower(lenient(system.Name))]; ok {
		f.Platform = platform.String()
	}
}
