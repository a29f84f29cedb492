//! Every metric family: name, shape, labels and help. `docs/metrics.md` describes the same list,
//! and a test compares the two.

/// What the samples of a family are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Only goes up, from 0 at the start of the process.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Cumulative buckets, a sum and a count.
    Histogram,
    /// Always 1; the labels are what it says.
    Info,
}

/// One metric family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Family {
    /// The name as Prometheus stores it: of a counter with `_total`, of an info with `_info`,
    /// of a histogram without `_bucket`. It ends in the unit.
    pub name: &'static str,
    /// What the samples are.
    pub shape: Shape,
    /// Names of the labels besides `le`.
    pub labels: &'static [&'static str],
    /// What it says, in a sentence.
    pub help: &'static str,
}

impl Family {
    /// The name that OpenMetrics gives the family: without the suffix of its samples.
    #[must_use]
    pub fn stem(&self) -> &'static str {
        let suffix = match self.shape {
            Shape::Counter => "_total",
            Shape::Info => "_info",
            Shape::Gauge | Shape::Histogram => "",
        };
        self.name.strip_suffix(suffix).unwrap_or(self.name)
    }

    /// The unit, where the name has one.
    #[must_use]
    pub fn unit(&self) -> Option<&'static str> {
        ["seconds", "bytes"].into_iter().find(|unit| self.stem().ends_with(unit))
    }
}

macro_rules! families {
    ($($(#[$doc:meta])* $id:ident $shape:ident $name:literal [$($label:literal),*] $help:literal;)*) => {
        $($(#[$doc])* pub const $id: Family = Family {
            name: $name,
            shape: Shape::$shape,
            labels: &[$($label),*],
            help: $help,
        };)*

        /// Every family that a page can hold.
        pub const ALL: &[Family] = &[$($id,)*];
    };
}

families! {
    /// Results by outcome.
    RESULTS Counter "thongsuot_results_total"
        ["owner", "system", "check", "kind", "vantage", "outcome", "reason"]
        "Results of runs, by what came of them; a check has few reasons of its own, the rest is reason=\"other\".";
    /// Length of runs.
    DURATION Histogram "thongsuot_result_duration_seconds" ["system", "check"]
        "Length of runs from start to end, of every kind and outcome but void.";
    /// Time by phase.
    PHASES Counter "thongsuot_phase_seconds_total" ["check", "phase"]
        "Time spent in each phase of the runs that thongsuot_result_duration_seconds counts.";
    /// State of checks.
    CHECK_STATE Gauge "thongsuot_check_state" ["check", "state"]
        "1 for the state that the check is in, 0 for the others.";
    /// End of certificates.
    TLS_NOT_AFTER Gauge "thongsuot_tls_not_after_timestamp_seconds" ["check"]
        "When the leaf certificate last seen ends, as Unix time.";
    /// Where this monitor measures from.
    VANTAGE Info "thongsuot_vantage_info" ["vantage", "carrier"]
        "Where this monitor measures from, and whose line it is.";
    /// What a system is.
    SYSTEM_INFO Info "thongsuot_system_info" ["system", "owner", "name", "owner_name"]
        "What a system is called and who answers for it; systems that are not watched too.";
    /// What a system is held to.
    SYSTEM_OBJECTIVE Gauge "thongsuot_system_objective_ratio" ["system"]
        "The availability that the system is held to.";
    /// What a system depends on.
    SYSTEM_DEPENDENCY Info "thongsuot_system_dependency_info" ["system", "on"]
        "A system and one that it can't work without.";
    /// State of systems.
    SYSTEM_STATE Gauge "thongsuot_system_state" ["system", "state"]
        "1 for the state that the system is in, 0 for the others.";
    /// Since when a system is in its state.
    SYSTEM_SINCE Gauge "thongsuot_system_state_since_timestamp_seconds" ["system"]
        "Since when the system is in its state, as Unix time.";
    /// Maintenance under way.
    MAINTENANCE_ACTIVE Gauge "thongsuot_maintenance_active" ["system"]
        "1 while maintenance of the system, or of a part of it, is under way.";
    /// Incidents.
    INCIDENTS Counter "thongsuot_incidents_total" ["system"]
        "Incidents that have opened; down spans less than a minute apart are one.";
    /// Open incidents.
    INCIDENT_OPEN Gauge "thongsuot_incident_open" ["system"]
        "1 while an incident is open.";
    /// Availability.
    SYSTEM_AVAILABILITY Gauge "thongsuot_system_availability_ratio" ["system", "window"]
        "Share of the known judged time of the window in which the system was not down.";
    /// Coverage.
    SYSTEM_COVERAGE Gauge "thongsuot_system_coverage_ratio" ["system", "window"]
        "Share of the judged time of the window of which anything is known.";
    /// Budget left.
    SYSTEM_BUDGET Gauge "thongsuot_system_budget_remaining_ratio" ["system"]
        "Share of the down time that the objective allows in the current period that is left; below 0 once overdrawn.";
    /// Burn rates.
    SYSTEM_BURN Gauge "thongsuot_system_burn_rate" ["system", "window"]
        "How many times faster than the objective allows the budget is used up in the window, blips included.";
    /// Edges of the period.
    PERIOD Gauge "thongsuot_period_timestamp_seconds" ["edge"]
        "When the current period of the figures starts and ends, as Unix time.";
    /// Lateness of slots.
    LATENESS Histogram "thongsuot_slot_lateness_seconds" []
        "How much later than due the runs of the schedule started.";
    /// Void slots.
    SLOTS_VOID Counter "thongsuot_slots_void_total" ["reason"]
        "Slots of the schedule that measured nothing, by the fault of our own that was the reason.";
    /// History commits.
    COMMIT Histogram "thongsuot_history_commit_seconds" []
        "How long it took to make a group of results durable.";
    /// Whether the last reload worked.
    RELOAD_OK Gauge "thongsuot_config_last_reload_successful" []
        "1 if the configuration last read is in force, 0 if it was refused and an older one is.";
    /// When the configuration came into force.
    RELOAD_AT Gauge "thongsuot_config_last_reload_success_timestamp_seconds" []
        "When the configuration in force was read, as Unix time.";
    /// What runs.
    BUILD Info "thongsuot_build_info" ["version", "revision"]
        "The version that is running.";
    /// Queues.
    QUEUE Gauge "thongsuot_queue_length" ["queue"]
        "Things waiting in an internal queue.";
    /// Checks configured.
    CHECKS Gauge "thongsuot_checks" ["state"]
        "Checks in the configuration in force.";
    /// Runs in flight.
    IN_FLIGHT Gauge "thongsuot_runs_in_flight" []
        "Runs that have started and not ended.";
    /// Probes for others.
    PROBES Counter "thongsuot_probe_requests_total" ["module", "result"]
        "Answers of /probe: success or failure of the target. Only with --blackbox-config.";
    /// As in blackbox_exporter.
    MODULE_UNKNOWN Counter "blackbox_module_unknown_total" []
        "Requests of /probe for a module that there is not. Only with --blackbox-config.";
    /// As in blackbox_exporter.
    MODULES_OK Gauge "blackbox_exporter_config_last_reload_successful" []
        "1 if the modules last read are in force. Only with --blackbox-config.";
    /// As in blackbox_exporter.
    MODULES_AT Gauge "blackbox_exporter_config_last_reload_success_timestamp_seconds" []
        "When the modules in force were read, as Unix time. Only with --blackbox-config.";
    /// Messages.
    NOTIFICATIONS Counter "thongsuot_notifications_total" ["channel", "result"]
        "Messages that reached their end: sent, failed for good, or dropped because nobody needed them any more.";
    /// Attempts.
    NOTIFICATION_ATTEMPTS Counter "thongsuot_notification_attempts_total" ["channel", "result"]
        "Attempts to send a message: accepted, later (to be tried again) or refused.";
    /// Delay of messages.
    NOTIFICATION_DELAY Histogram "thongsuot_notification_delay_seconds" ["channel"]
        "From the instant a message was due until its channel took it.";
    /// Messages that wait.
    NOTIFICATIONS_WAITING Gauge "thongsuot_notifications_waiting" ["channel"]
        "Messages that are due and not yet sent.";
    /// Open incidents.
    ALERTS_FIRING Gauge "thongsuot_alerts_firing" ["severity"]
        "Incidents that are open, by severity; parts of another incident are not counted.";
    /// Oldest page without an answer.
    UNACKNOWLEDGED Gauge "thongsuot_oncall_unacknowledged_seconds" []
        "How long the oldest page has been without an acknowledgement; 0 if there is none.";
    /// Who is on call.
    ON_CALL Gauge "thongsuot_oncall_people" ["team"]
        "People on call now; 0: a hole in the rota, the fallback is called.";
    /// Alerts posted.
    ALERTMANAGER_ALERTS Counter "thongsuot_alertmanager_alerts_total" ["alertmanager", "result"]
        "Alerts posted to an Alertmanager, each time: accepted, refused alone, or failed.";
    /// Whether an Alertmanager accepts.
    ALERTMANAGER_ACCEPTING Gauge "thongsuot_alertmanager_accepting" ["alertmanager"]
        "1 if the Alertmanager accepted something within the last minute.";
    /// Troubles of the monitor.
    TROUBLES Gauge "thongsuot_monitor_troubles" ["kind"]
        "What is wrong with the monitor itself now, by kind.";
    /// Drill.
    DRILL Gauge "thongsuot_drill_last_acknowledged_timestamp_seconds" []
        "When a test page was last acknowledged, as Unix time.";
    /// Dead man's switch.
    HEARTBEATS Counter "thongsuot_heartbeats_total" ["result"]
        "Calls of the dead man's switch: sent, failed, or withheld because something does not work.";
    /// CPU time.
    PROCESS_CPU Counter "process_cpu_seconds_total" []
        "User and system CPU time spent.";
    /// Open descriptors.
    PROCESS_FDS Gauge "process_open_fds" []
        "Open file descriptors.";
    /// Descriptors allowed.
    PROCESS_FDS_MAX Gauge "process_max_fds" []
        "Most file descriptors that may be open.";
    /// Virtual memory.
    PROCESS_VIRTUAL Gauge "process_virtual_memory_bytes" []
        "Virtual memory size.";
    /// Resident memory.
    PROCESS_RESIDENT Gauge "process_resident_memory_bytes" []
        "Resident memory size.";
    /// Start of the process.
    PROCESS_START Gauge "process_start_time_seconds" []
        "When the process started, as Unix time.";
    /// Threads.
    PROCESS_THREADS Gauge "process_threads" []
        "Operating system threads in the process.";
}

/// The family of this name.
#[must_use]
pub fn by_name(name: &str) -> Option<&'static Family> {
    ALL.iter().find(|family| family.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_end_as_their_shape_asks() {
        let mut seen = std::collections::HashSet::new();
        for family in ALL {
            assert!(seen.insert(family.stem()), "{} twice", family.name);
            let total = family.name.ends_with("_total");
            assert_eq!(total, family.shape == Shape::Counter, "{}", family.name);
            assert!(family.help.ends_with('.'), "{}", family.name);
        }
    }

    #[test]
    fn the_unit_is_what_the_name_says() {
        assert_eq!(PHASES.unit(), Some("seconds"));
        assert_eq!(TLS_NOT_AFTER.unit(), Some("seconds"));
        assert_eq!(PROCESS_RESIDENT.unit(), Some("bytes"));
        assert_eq!(RESULTS.unit(), None);
    }
}
