# Vault Agent beside the application: it logs in, renders secrets to files, and renders them anew
# when they change or their lease ends. Each template is one file that the application refers to.
vault {
  address = "https://vault.example.test:8200"
}

auto_auth {
  method "kubernetes" {
    mount_path = "auth/kubernetes"
    config = {
      role = "orders"
    }
  }
}

template {
  destination = "/vault/secrets/database/password"
  contents    = "{{ with secret \"secret/data/orders\" }}{{ .Data.data.password }}{{ end }}"
  perms       = "0440"
}
