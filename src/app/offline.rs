//! The journal of maintenance without a running daemon: the same rules over its data folder.

use std::path::Path;
use std::sync::Arc;

use super::notices::Notices;
use super::{AppError, restore};
use crate::clock::Clock;
use crate::config::Config;
use crate::history::{self, History};
use crate::model::time::Millis;
use crate::web::maintenance::{Act, Refused, answer};
use crate::web::source::{
    Announcer, Maintenance, MaintenanceChange, MaintenanceError, NewMaintenance,
};

/// The data folder of a daemon that is stopped, taken for as long as this lives.
#[derive(Debug)]
pub struct Offline {
    config: Arc<Config>,
    history: History,
    notices: Notices,
    clock: Clock,
}

impl Offline {
    /// Takes the folder, which must exist.
    ///
    /// # Errors
    ///
    /// [`AppError::History`], also while a daemon is running on it.
    pub async fn open(data: &Path, config: Arc<Config>) -> Result<Self, AppError> {
        let settings = history::Settings {
            folder: Some(data.to_path_buf()),
            reserve_bytes: 0,
            ..history::Settings::default()
        };
        let history = History::open(settings, None)?;
        let notices = restore::notices(&history).await?;
        Ok(Self { config, history, notices, clock: Clock::System })
    }

    /// Answers as the API would.
    ///
    /// # Errors
    ///
    /// What the API would say is wrong, and what to do.
    pub async fn ask(&self, act: Act) -> Result<String, Refused> {
        answer(self, &self.config.monitor.timezone, act).await
    }

    /// Stores everything and gives the folder free.
    ///
    /// # Errors
    ///
    /// [`AppError::History`].
    pub async fn close(self) -> Result<(), AppError> {
        Ok(self.history.close().await?)
    }
}

impl Announcer for Offline {
    fn now(&self) -> Millis {
        self.clock.now()
    }

    fn maintenance(&self) -> Vec<Maintenance> {
        self.notices.all(&self.config.roster, self.clock.now())
    }

    async fn announce(&self, new: NewMaintenance) -> Result<Maintenance, MaintenanceError> {
        self.notices.add(new, &self.config.roster, &self.history, self.clock.now()).await
    }

    async fn change_maintenance(
        &self,
        id: String,
        change: MaintenanceChange,
    ) -> Result<Maintenance, MaintenanceError> {
        let now = self.clock.now();
        self.notices.change(&id, change, &self.config.roster, &self.history, now).await
    }
}
