import { TrafficCharts } from './charts/traffic-charts.js';
import { RelayPage } from './relay-page.js';

customElements.define('traffic-charts', TrafficCharts);
customElements.define('relay-page', RelayPage);
