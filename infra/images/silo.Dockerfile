# A node. From the repository's root:
#   docker build -f infra/images/silo.Dockerfile -t medmerge-silo-cpu .
#   docker build -f infra/images/silo.Dockerfile -t medmerge-silo-cuda --build-arg TORCH_BACKEND=cuda .
# For x86-64 only: there is no libtorch for Linux on ARM among TorchSharp's packages.

FROM mcr.microsoft.com/dotnet/sdk:10.0 AS build
ARG TORCH_BACKEND=cpu
ENV DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
WORKDIR /source
# What decides about packages comes first: libtorch (0.2 GB; 3 GB with CUDA) is fetched again only where that changes, not with every line of code.
COPY global.json Directory.Build.props Directory.Packages.props .editorconfig ./
COPY MedMerge.ServiceDefaults/MedMerge.ServiceDefaults.csproj MedMerge.ServiceDefaults/
COPY src/MedMerge/MedMerge.csproj src/MedMerge/
COPY src/MedMerge.Storage/MedMerge.Storage.csproj src/MedMerge.Storage/
COPY src/MedMerge.Grains.Abstractions/MedMerge.Grains.Abstractions.csproj src/MedMerge.Grains.Abstractions/
COPY src/MedMerge.Clustering/MedMerge.Clustering.csproj src/MedMerge.Clustering/
COPY src/MedMerge.Grains/MedMerge.Grains.csproj src/MedMerge.Grains/
COPY src/MedMerge.Silo/MedMerge.Silo.csproj src/MedMerge.Silo/
# For one system: 0.3 GB of libraries are for others.
RUN dotnet restore src/MedMerge.Silo -r linux-x64 -p:TorchBackend=$TORCH_BACKEND
COPY . .
RUN dotnet publish src/MedMerge.Silo -c Release --no-restore -r linux-x64 --no-self-contained -p:TorchBackend=$TORCH_BACKEND -o /app

# One base for both, and nothing to install: libtorch needs glibc 2.34, libstdc++ and libgcc, which .NET needs as well, and brings its own OpenMP. TorchSharp's CUDA
# packages bring CUDA 12.8 and cuDNN too, under names that only they know, so an nvidia/cuda base would add a second, unused CUDA. The driver's own library
# (libcuda.so.1) is mounted by the machine's NVIDIA container toolkit: it must fit the machine's kernel module, never the image.
FROM mcr.microsoft.com/dotnet/aspnet:10.0
# What the toolkit mounts: the driver for computing and nvidia-smi, nothing for graphics. Which GPUs is the device plugin's to say. No meaning without a GPU.
ENV NVIDIA_DRIVER_CAPABILITIES=compute,utility
WORKDIR /app
COPY --from=build /app .
# Health (8080), other nodes (11111), the gateway (30000).
EXPOSE 8080 11111 30000
USER $APP_UID
ENTRYPOINT ["dotnet", "MedMerge.Silo.dll"]
