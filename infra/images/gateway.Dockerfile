# The gateway. From the repository's root:
#   docker build -f infra/images/gateway.Dockerfile -t medmerge-gateway .

FROM mcr.microsoft.com/dotnet/sdk:10.0 AS build
ENV DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
WORKDIR /source
# What decides about packages comes first, as in silo.Dockerfile.
COPY global.json Directory.Build.props Directory.Packages.props .editorconfig ./
COPY MedMerge.ServiceDefaults/MedMerge.ServiceDefaults.csproj MedMerge.ServiceDefaults/
COPY src/MedMerge/MedMerge.csproj src/MedMerge/
COPY src/MedMerge.Storage/MedMerge.Storage.csproj src/MedMerge.Storage/
COPY src/MedMerge.Grains.Abstractions/MedMerge.Grains.Abstractions.csproj src/MedMerge.Grains.Abstractions/
COPY src/MedMerge.Clustering/MedMerge.Clustering.csproj src/MedMerge.Clustering/
COPY src/MedMerge.Gateway/MedMerge.Gateway.csproj src/MedMerge.Gateway/
RUN dotnet restore src/MedMerge.Gateway -r linux-x64
COPY . .
RUN dotnet publish src/MedMerge.Gateway -c Release --no-restore -r linux-x64 --no-self-contained -o /app

FROM mcr.microsoft.com/dotnet/aspnet:10.0
# Reads uploaded JPEGs faster than Skia does. The base is Ubuntu, whose package has another name than Debian's libturbojpeg0.
RUN apt-get update && apt-get install -y --no-install-recommends libturbojpeg && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY --from=build /app .
EXPOSE 8080
USER $APP_UID
ENTRYPOINT ["dotnet", "MedMerge.Gateway.dll"]
